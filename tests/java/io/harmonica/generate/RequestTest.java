package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.harmonica.sampler.Spacing;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestTest {
  private static final Request REQUEST = Request.of(List.of(1, 2));

  @Test
  void with_changesOneThing() {
    Latents latents = new Latents(new float[8], 2, 1, 2, 2);
    Request all =
        REQUEST
            .withLatents(latents)
            .withSeed(9)
            .withGuidanceChannels(3)
            .withGuidance(4)
            .withSpacing(Spacing.OPENAI)
            .withSampler("other")
            .withEta(0.5)
            .withSteps(7)
            .withRouter("r");
    assertThat(all.classes()).containsExactly(1, 2);
    assertThat(all.router()).isEqualTo("r");
    assertThat(all.steps()).hasValue(7);
    assertThat(all.sampler()).contains("other");
    assertThat(all.eta()).hasValue(0.5);
    assertThat(all.spacing()).contains(Spacing.OPENAI);
    assertThat(all.guidance()).hasValue(4);
    assertThat(all.guidanceChannels()).hasValue(3);
    assertThat(all.seed()).isEqualTo(9);
    assertThat(all.latents()).containsSame(latents);
  }

  @Test
  void guidance_isTheModels_unlessStated() {
    assertThat(REQUEST.guidance()).isEmpty();
    assertThat(REQUEST.withSeed(1).guidance()).isEmpty();
    assertThat(REQUEST.withGuidance(0).withSeed(1).guidance()).hasValue(0);
  }

  @Test
  void values_areChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Request.of(List.of()))
        .withMessage("--classes is empty, expected a label for each picture");
    for (double guidance : new double[] {-0.1, Double.NaN, Double.POSITIVE_INFINITY}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> REQUEST.withGuidance(guidance))
          .withMessage("--guidance %s must be a number from 0", guidance);
    }
    assertThatIllegalArgumentException()
        .isThrownBy(() -> REQUEST.withLatents(new Latents(new float[12], 3, 1, 2, 2)))
        .withMessage("--latents has 3 rows for 2 --classes, expected as many");
  }
}
