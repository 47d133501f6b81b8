package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.harmonica.sampler.Spacing;
import org.junit.jupiter.api.Test;

class StyleTest {

  private static Style all() {
    return Style.DEFAULT
        .withGuidanceChannels(3)
        .withGuidance(4)
        .withTrueCfg(2)
        .withSpacing(Spacing.OPENAI)
        .withSampler("other")
        .withEta(0.5)
        .withSteps(7)
        .withRouter("r");
  }

  @Test
  void with_changesOneThing() {
    Style style = all();
    assertThat(style.router()).isEqualTo("r");
    assertThat(style.steps()).hasValue(7);
    assertThat(style.sampler()).contains("other");
    assertThat(style.eta()).hasValue(0.5);
    assertThat(style.spacing()).contains(Spacing.OPENAI);
    assertThat(style.guidance()).hasValue(4);
    assertThat(style.guidanceChannels()).hasValue(3);
    assertThat(style.trueCfg()).hasValue(2);
    assertThat(Style.DEFAULT.router()).isEqualTo("none");
    assertThat(Style.DEFAULT.steps()).isEmpty();
  }

  @Test
  void stylesOfTheSameValues_areEqual() {
    assertThat(all()).isEqualTo(all()).hasSameHashCodeAs(all());
    assertThat(all().withEta(0.25)).isNotEqualTo(all());
  }

  @Test
  void guidance_isTheModels_unlessStated() {
    assertThat(Style.DEFAULT.guidance()).isEmpty();
    assertThat(Style.DEFAULT.withGuidance(0).withSteps(1).guidance()).hasValue(0);
  }

  @Test
  void guidance_isChecked() {
    for (double guidance : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Style.DEFAULT.withGuidance(guidance))
          .withMessage("`guidance` %s must be a number from 0", guidance);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Style.DEFAULT.withTrueCfg(guidance))
          .withMessage("`trueCfg` %s must be a number from 0", guidance);
    }
  }
}
