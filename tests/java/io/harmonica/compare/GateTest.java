package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GateTest {
  private static final List<String> VARIANTS = List.of("n", "none", "f", "fora-2", "b");

  private static final List<Report.Entry> ENTRIES =
      List.of(
          Reports.reference(),
          Reports.entry("fora-2", 0.5, 2, 1.9, 30.6),
          Reports.failed("b", 0, "gone"));

  private static Gate.Verdict judge(String expression) {
    return Gate.parse(expression, VARIANTS).judge(ENTRIES);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          f.speedup < 1.2                                  ; false
          f.speedup < 1.95                                 ; true
          fora-2.speedup<1.95                              ; true
          f.speedup.high <= 1.92                           ; true
          f.speedup.low > 1.88                             ; false
          f.speedup.low >= 1.86                            ; true
          f.cur == 0.5                                     ; true
          f.cur != 0.5                                     ; false
          f.p50 > 400                                      ; true
          f.latencyMillis.p50 > 1e3                        ; false
          n.psnr < 60                                      ; false
          f.speedup < 1 || f.psnr < 31                     ; true
          f.speedup < 1 && f.psnr < 31                     ; false
          f.cur > 0.1 && f.ssim < 0.99 || f.psnr < 1       ; true
          f.psnr < 1 || f.cur > 0.1 && f.ssim > 0.99       ; false
          """)
  void judge_evaluates(String expression, boolean fired) {
    assertThat(judge(expression).fired()).isEqualTo(fired);
  }

  @Test
  void judge_showsTheValues() {
    assertThat(judge("f.speedup < 1.2 || n.psnr < 30").values())
        .isEqualTo("f.speedup.value = 1.90, n.psnr = identical");
  }

  @Test
  void judge_fires_whereAValueWasNotMeasured() {
    assertThat(judge("b.speedup < 1.2").fired()).isTrue();
    assertThat(judge("b.speedup < 1.2").values()).isEqualTo("b.speedup.value = not measured");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      textBlock =
          """
          f.sped < 1.2              ; unknown field 'sped', known: latencyMillis.p50
          x.speedup < 1.2           ; unknown variant 'x', known: n, none, f, fora-2, b
          f.speedup                 ; 'f.speedup' is not VARIANT.FIELD OPERATOR NUMBER
          f.speedup < fast          ; is not VARIANT.FIELD OPERATOR NUMBER
          f.speedup < 1.2 &&        ; '' is not VARIANT.FIELD OPERATOR NUMBER
          f.speedup = 1.2           ; is not VARIANT.FIELD OPERATOR NUMBER
          speedup < 1.2             ; is not VARIANT.FIELD OPERATOR NUMBER
          """)
  void parse_saysWhatItExpects(String expression, String said) {
    assertThatThrownBy(() -> Gate.parse(expression, VARIANTS))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("`failIf`")
        .hasMessageContaining(said);
  }

  @Test
  void needs_tellWhatAGateTakes() {
    assertThat(Gate.parse("f.speedup.low < 1", VARIANTS).needsInterval()).isTrue();
    assertThat(Gate.parse("f.speedup < 1", VARIANTS).needsInterval()).isFalse();
    assertThat(Gate.parse("f.cur < 1 && f.frechet > 3", VARIANTS).needsFeatures()).isTrue();
    assertThat(Gate.parse("f.cur < 1", VARIANTS).needsFeatures()).isFalse();
  }
}
