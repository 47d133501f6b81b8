package io.harmonica.sampler;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** How a sampler picks its timesteps from the training's, and in which precision their noise. */
public enum Spacing {
  /**
   * diffusers: multiples of {@code trainTimesteps / steps}, 0 included ({@code DDIMScheduler},
   * {@code timestep_spacing="leading"}); fp32 tables.
   */
  LEADING {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      check(steps, trainTimesteps);
      List<Integer> timesteps = new ArrayList<>();
      for (int i = steps - 1; i >= 0; i--) {
        timesteps.add(i * (trainTimesteps / steps));
      }
      return timesteps;
    }
  },

  /**
   * OpenAI's and facebook's code: evenly from the last to the first, both included ({@code
   * respace.py}, {@code space_timesteps}); fp64 tables.
   */
  OPENAI {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      check(steps, trainTimesteps);
      double stride = steps == 1 ? 1 : (trainTimesteps - 1.0) / (steps - 1);
      List<Integer> timesteps = new ArrayList<>();
      double exact = 0; // summed up, as the reference does: the rounding depends on it
      for (int i = 0; i < steps; i++) {
        timesteps.add(0, (int) Math.rint(exact));
        exact += stride;
      }
      return timesteps;
    }
  },

  /** OpenAI's {@code ddimN}: the smallest stride that gives just N timesteps; fp64 tables. */
  OPENAI_DDIM {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      check(steps, trainTimesteps);
      for (int stride = 1; stride <= trainTimesteps; stride++) {
        if ((trainTimesteps + stride - 1) / stride == steps) {
          int width = stride;
          return IntStream.range(0, steps).mapToObj(i -> (steps - 1 - i) * width).toList();
        }
      }
      throw new IllegalArgumentException(
          "--steps %d: no stride gives as many of %d timesteps; use --spacing openai"
              .formatted(steps, trainTimesteps));
    }
  };

  /**
   * Timesteps in execution order, the noisiest first.
   *
   * @throws IllegalArgumentException unless {@code 1 <= steps <= trainTimesteps}
   */
  public abstract List<Integer> timesteps(int steps, int trainTimesteps);

  /** Parses {@code leading}, {@code openai} or {@code openai-ddim}. */
  public static Spacing of(String name) {
    for (Spacing spacing : values()) {
      if (spacing.toString().equals(name)) {
        return spacing;
      }
    }
    throw new IllegalArgumentException(
        "--spacing '%s' is unknown; use leading, openai or openai-ddim".formatted(name));
  }

  private static void check(int steps, int trainTimesteps) {
    if (steps < 1 || steps > trainTimesteps) {
      throw new IllegalArgumentException(
          "--steps %d is out of range 1..%d".formatted(steps, trainTimesteps));
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
