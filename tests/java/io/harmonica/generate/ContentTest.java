package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ContentTest {
  /** Two texts of three tokens, two wide; the second has one token of padding. */
  private static final Embeddings TWO =
      new Embeddings(
          new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
          new long[] {1, 1, 1, 1, 1, 0},
          2,
          3,
          2);

  private static final Embeddings ONE =
      new Embeddings(new float[] {1, 2, 3, 4}, new long[] {1, 0}, 1, 2, 2);

  @Test
  void labels_areTakenByPlace() {
    Content content = Content.of(List.of(4, 2, 9));
    assertThat(content.count()).isEqualTo(3);
    assertThat(content.rows(1, 3)).isEqualTo(Content.of(List.of(2, 9)));
    assertThat(content.select(List.of(2, 0, 2))).isEqualTo(Content.of(List.of(9, 4, 9)));
    assertThat(content.name(2)).isEqualTo("class9");
  }

  @Test
  void texts_areTakenByPlace_andTheLoneNegativeStays() {
    Content.Texts texts = new Content.Texts(TWO, Optional.of(ONE));
    Content.Texts selected = texts.select(List.of(1, 0, 1));
    assertThat(selected.count()).isEqualTo(3);
    assertThat(selected.positive().mask()).containsExactly(1, 1, 0, 1, 1, 1, 1, 1, 0);
    assertThat(selected.negative()).containsSame(ONE);
    assertThat(texts.name(1)).isEqualTo("text1");
  }

  @Test
  void rows_areOfTheirTexts_andALoneTextServesForAny() {
    Content.Texts rows = new Content.Texts(TWO, Optional.of(ONE)).rows(1, 2);
    assertThat(rows.positive().values()).containsExactly(7, 8, 9, 10, 11, 12);
    assertThat(rows.positive().mask()).containsExactly(1, 1, 0);
    assertThat(rows.negative().orElseThrow().values()).containsExactly(1, 2, 3, 4);
    Embeddings both = new Content.Texts(TWO, Optional.of(ONE)).rows(0, 2).negative().orElseThrow();
    assertThat(both.count()).isEqualTo(2);
    assertThat(both.values()).containsExactly(1, 2, 3, 4, 1, 2, 3, 4);
    assertThat(both.mask()).containsExactly(1, 0, 1, 0);
  }

  @Test
  void withTokens_addsAndDropsPadding() {
    Embeddings longer = ONE.withTokens(3);
    assertThat(longer.values()).containsExactly(1, 2, 3, 4, 0, 0);
    assertThat(longer.mask()).containsExactly(1, 0, 0);
    Embeddings shorter = ONE.withTokens(1);
    assertThat(shorter.values()).containsExactly(1, 2);
    assertThat(shorter.mask()).containsExactly(1);
  }

  @Test
  void withTokens_thatCount_areNotDropped() {
    assertThatThrownBy(() -> TWO.withTokens(2))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "text 0 has more tokens than the 2 that the model takes: shorten it, or export the model with `textTokens` 3");
  }

  @Test
  void sizes_areChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Embeddings(new float[4], new long[3], 1, 2, 2))
        .withMessage(
            "text embeddings of 4 values with a mask of 3 do not fill [1, 2, 2] and [1, 2]");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Embeddings(new float[4], new long[] {1, 2}, 1, 2, 2))
        .withMessage("a mask of text embeddings has others than 0 and 1");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Embeddings(new float[0], new long[0], 0, 2, 2))
        .withMessage("text embeddings [0, 2, 2] are empty");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Content.Texts(ONE, Optional.of(TWO)))
        .withMessage("2 negative texts for 1 pictures, expected one, or as many");
    Embeddings wide = new Embeddings(new float[3], new long[] {1}, 1, 1, 3);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Content.Texts(TWO, Optional.of(wide)))
        .withMessage(
            "negative texts are embedded 3 wide, the others 2; embed them with one encoder");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> TWO.repeated(2))
        .withMessage("2 texts cannot be repeated, only one can");
  }
}
