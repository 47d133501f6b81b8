package io.harmonica.sampler;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** How a sampler picks its timesteps from the training's, and whose arithmetic it follows. */
public enum Spacing {
  /**
   * diffusers: multiples of {@code trainTimesteps / steps}, 0 included ({@code DDIMScheduler},
   * {@code timestep_spacing="leading"}).
   */
  LEADING(Origin.DIFFUSERS) {
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
   * respace.py}, {@code space_timesteps}).
   */
  OPENAI(Origin.OPENAI) {
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

  /** OpenAI's {@code ddimN}: the smallest stride that gives just N timesteps. */
  OPENAI_DDIM(Origin.OPENAI) {
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
  },

  /**
   * diffusers' solvers: evenly from the last towards the first, the first left out ({@code
   * DPMSolverMultistepScheduler}, {@code timestep_spacing="linspace"}).
   */
  LINSPACE(Origin.DIFFUSERS) {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      check(steps, trainTimesteps - 1); // as many steps as timesteps would visit one twice
      double stride = (trainTimesteps - 1.0) / steps;
      return IntStream.range(0, steps)
          .mapToObj(i -> (int) Math.rint((steps - i) * stride))
          .toList();
    }
  };

  /** Whose schedulers space like this: diffusers keeps its tables in fp32, OpenAI in fp64. */
  enum Origin {
    DIFFUSERS,
    OPENAI
  }

  private final Origin origin;

  Spacing(Origin origin) {
    this.origin = origin;
  }

  Origin origin() {
    return origin;
  }

  /**
   * Timesteps in execution order, the noisiest first.
   *
   * @throws IllegalArgumentException unless {@code 1 <= steps <= trainTimesteps}; one less for
   *     {@link #LINSPACE}
   */
  public abstract List<Integer> timesteps(int steps, int trainTimesteps);

  /** Parses {@code leading}, {@code openai}, {@code openai-ddim} or {@code linspace}. */
  public static Spacing of(String name) {
    for (Spacing spacing : values()) {
      if (spacing.toString().equals(name)) {
        return spacing;
      }
    }
    throw new IllegalArgumentException(
        "--spacing '%s' is unknown; use leading, openai, openai-ddim or linspace".formatted(name));
  }

  private static void check(int steps, int most) {
    if (steps < 1 || steps > most) {
      throw new IllegalArgumentException("--steps %d is out of range 1..%d".formatted(steps, most));
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
