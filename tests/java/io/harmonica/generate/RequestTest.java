package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.harmonica.picture.Latents;
import io.harmonica.sampler.Spacing;
import java.util.List;
import org.junit.jupiter.api.Test;

class RequestTest {
  private static final Request REQUEST = Request.of(List.of(1, 2));

  @Test
  void shortForms_changeTheStyle() {
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
    assertThat(all.content()).isEqualTo(Content.of(List.of(1, 2)));
    assertThat(all.style())
        .isEqualTo(
            Style.DEFAULT
                .withRouter("r")
                .withSteps(7)
                .withEta(0.5)
                .withSampler("other")
                .withSpacing(Spacing.OPENAI)
                .withGuidance(4)
                .withGuidanceChannels(3));
    assertThat(all.seed()).isEqualTo(9);
    assertThat(all.latents()).containsSame(latents);
    assertThat(REQUEST.style()).isEqualTo(Style.DEFAULT);
  }

  @Test
  void withContentAndStyle_keepTheRest() {
    Style style = Style.DEFAULT.withRouter("r");
    Request other = REQUEST.withSeed(9).withStyle(style).withContent(Content.of(List.of(5)));
    assertThat(other.count()).isEqualTo(1);
    assertThat(other.style()).isSameAs(style);
    assertThat(other.seed()).isEqualTo(9);
  }

  @Test
  void values_areChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Request.of(List.of()))
        .withMessage("`classes` is empty, expected a label for each picture");
    Latents three = new Latents(new float[12], 3, 1, 2, 2);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> REQUEST.withLatents(three))
        .withMessage("`latents` has 3 rows for 2 `classes`, expected as many");
    Request withThree = Request.of(List.of(1, 2, 3)).withLatents(three);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> withThree.withContent(REQUEST.content()))
        .withMessage("`latents` has 3 rows for 2 `classes`, expected as many");
  }
}
