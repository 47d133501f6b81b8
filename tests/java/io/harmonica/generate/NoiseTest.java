package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NoiseTest {
  private static final int SIZE = 500;

  @Test
  void picture_hasTheSameNoiseInAnyBatch() {
    Noise noise = new Noise(40);
    float[] start = noise.start(3, SIZE);
    float[] step = noise.ofStep(2, 0, 3, SIZE);
    for (int i = 0; i < 3; i++) {
      Noise own = new Noise(40 + i);
      assertThat(own.start(1, SIZE)).containsExactly(row(start, i));
      assertThat(own.ofStep(2, 0, 1, SIZE)).containsExactly(row(step, i));
      assertThat(noise.ofStep(2, i, 1, SIZE)).containsExactly(row(step, i));
    }
  }

  @Test
  void everyStepOfEveryPicture_hasItsOwn() {
    Set<Float> seen = new HashSet<>();
    for (int step = 0; step < 50; step++) {
      float[] values = new Noise(-3).ofStep(step, 0, 4, SIZE);
      for (int i = 0; i < 4; i++) {
        assertThat(seen.add(values[i * SIZE])).isTrue();
      }
    }
    for (float value : new Noise(-3).start(4, 1)) {
      assertThat(seen.add(value)).isTrue();
    }
  }

  @Test
  void noise_isStandardNormal_alsoAcrossNeighbouringSeeds() {
    float[] along = new Noise(1).ofStep(0, 0, 1, 20_000);
    float[] across = new float[20_000];
    for (int i = 0; i < across.length; i++) {
      across[i] = new Noise(i).ofStep(i % 7, 0, 1, 1)[0];
    }
    float[] starts = new Noise(0).start(20_000, 1);
    for (float[] values : new float[][] {along, across, starts}) {
      double mean = 0;
      double square = 0;
      double neighbour = 0;
      for (int i = 0; i < values.length; i++) {
        mean += values[i];
        square += values[i] * values[i];
        neighbour += values[i] * values[(i + 1) % values.length];
      }
      // Four standard errors of 20,000 values.
      assertThat(mean / values.length).isCloseTo(0, within(0.03));
      assertThat(square / values.length).isCloseTo(1, within(0.04));
      assertThat(neighbour / values.length).isCloseTo(0, within(0.03));
    }
  }

  private static float[] row(float[] values, int row) {
    return Arrays.copyOfRange(values, row * SIZE, (row + 1) * SIZE);
  }
}
