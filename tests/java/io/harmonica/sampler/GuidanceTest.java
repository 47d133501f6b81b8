package io.harmonica.sampler;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.FloatBuffer;
import org.junit.jupiter.api.Test;

class GuidanceTest {
  /** Two pictures of two channels and a pixel each, with two more channels of variance. */
  private static final float[] PREDICTION = {
    1, 2, 91, 92, // conditional
    3, 4, 93, 94, 0.5f, 1, 95, 96, // unconditional
    5, 8, 97, 98
  };

  private static float[] apply(Guidance guidance) {
    float[] epsilon = new float[4];
    guidance.apply(FloatBuffer.wrap(PREDICTION), epsilon, 2, 4, 1);
    return epsilon;
  }

  @Test
  void apply_toAllChannels_extrapolatesFromTheUnconditional() {
    assertThat(apply(new Guidance(3, 2, true)))
        .containsExactly(0.5f + 3 * 0.5f, 1 + 3, 5 - 3 * 2, 8 - 3 * 4);
  }

  @Test
  void apply_toSomeChannels_leavesTheOthersConditional() {
    assertThat(apply(new Guidance(3, 1, true))).containsExactly(0.5f + 3 * 0.5f, 2, 5 - 3 * 2, 4);
  }

  @Test
  void apply_toTexts_hasTheNegativesFirst() {
    assertThat(apply(new Guidance(3, 1, false))).containsExactly(1 + 3 * -0.5f, 1, 3 + 3 * 2, 8);
    float[] variance = new float[4];
    new Guidance(3, 1, false).variance(FloatBuffer.wrap(PREDICTION), variance, 2, 4, 1);
    assertThat(variance).containsExactly(95, 96, 97, 98);
    new Guidance(3, 1, true).variance(FloatBuffer.wrap(PREDICTION), variance, 2, 4, 1);
    assertThat(variance).containsExactly(91, 92, 93, 94);
  }

  @Test
  void apply_upToOne_takesThePredictionAsItIs() {
    assertThat(new Guidance(1, 2, true).doublesBatch()).isFalse();
    assertThat(new Guidance(1.01, 2, true).doublesBatch()).isTrue();
    assertThat(apply(new Guidance(0, 2, true))).containsExactly(1, 2, 3, 4);
  }
}
