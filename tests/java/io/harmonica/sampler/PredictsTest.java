package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class PredictsTest {

  /** Of a picture and its noise, by the definitions in the papers. */
  @ParameterizedTest
  @EnumSource
  void noise_isWhatTheOutputMeans(Predicts predicts) {
    Random random = new Random(2);
    for (double share : new double[] {0.999, 0.5, 0.1}) {
      double signal = Math.sqrt(share);
      double noise = Math.sqrt(1 - share);
      float[] epsilon = new float[50];
      float[] x = new float[50];
      float[] output = new float[50];
      for (int i = 0; i < 50; i++) {
        double picture = random.nextGaussian();
        epsilon[i] = (float) random.nextGaussian();
        x[i] = (float) (signal * picture + noise * epsilon[i]);
        output[i] =
            switch (predicts) {
              case NOISE -> epsilon[i];
              case PICTURE -> (float) picture;
              case VELOCITY -> (float) (signal * epsilon[i] - noise * picture);
            };
      }
      assertClose("share " + share, predicts.noise(share, x, output), epsilon, 2e-5);
    }
  }

  @Test
  void of_theNamesOfDiffusers() {
    assertThat(Predicts.of("v_prediction")).isEqualTo(Predicts.VELOCITY);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Predicts.of("flow_prediction"))
        .withMessage(
            "prediction type 'flow_prediction' is unknown; use epsilon, sample or v_prediction");
  }
}
