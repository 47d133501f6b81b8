package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class ReportTableTest {

  @Test
  void of_alignsColumns() {
    Report.Entry slow = Reports.reference();
    String table =
        ReportTable.of(Reports.of(slow, Reports.entry("taylor-3", 0.6667, 2.82, 2.75, 33.08)));
    assertThat(table.replaceAll("\\d{3}\\.\\d", "000.0")) // the medians of random latencies
        .isEqualTo(
            """
            variant      CUR  theory  speedup        (95 %)  realised  p50 ms  p99 ms  PSNR dB   SSIM
            none       0.0 %    1.00     1.00  0.97 .. 1.02   000.0 %   000.0   000.0     same  0.950
            taylor-3  66.7 %    2.82     2.75  2.72 .. 2.77    97.5 %   000.0   000.0     33.1  0.950
            """);
  }

  @Test
  void of_staysWithinAHundredColumns() {
    String name = "a-router-with-a-name-that-goes-on";
    assertThat(
            ReportTable.of(
                    Reports.of(Reports.reference(), Reports.entry(name, 0.99, 12.34, 10.21, 100.1)))
                .lines())
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100))
        .anySatisfy(line -> assertThat(line).startsWith("a-router-with-a.. "));
  }

  @Test
  void of_showsDashes_whereNothingWasMeasured() {
    String table = ReportTable.of(Reports.of(Reports.reference(), Reports.failed("b", 0, "gone")));
    assertThat(table.lines().skip(2).findFirst().orElseThrow().split(" +"))
        .containsExactly("b", "50.0", "%", "-", "-", "-", "-", "-", "-", "-", "-");
  }
}
