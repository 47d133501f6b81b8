package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
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
      throw new InvalidProperty(
          "steps",
          "%d: no stride gives as many of %d timesteps; use `spacing` openai"
              .formatted(steps, trainTimesteps));
    }
  },

  /**
   * diffusers: evenly from the last to the first, both included ({@code
   * timestep_spacing="linspace"}).
   */
  LINSPACE(Origin.DIFFUSERS) {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      check(steps, trainTimesteps);
      double stride = steps == 1 ? 0 : (trainTimesteps - 1.0) / (steps - 1);
      return IntStream.range(0, steps)
          .mapToObj(i -> (int) Math.rint((steps - 1 - i) * stride))
          .toList();
    }
  },

  /**
   * diffusers: evenly from the last down, the first left out ({@code timestep_spacing="trailing"}).
   *
   * <p>Where the stride rounds badly, at 61 steps of 1000 for example, diffusers takes one step
   * more, at timestep -1. That one is left out.
   */
  TRAILING(Origin.DIFFUSERS) {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      check(steps, trainTimesteps);
      double last = trainTimesteps;
      double stride = last - last / steps - last; // as numpy.arange rounds it
      return IntStream.range(0, steps)
          .mapToObj(i -> (int) Math.rint(last + i * stride) - 1)
          .toList();
    }

    @Override
    public List<Integer> solverTimesteps(int steps, int trainTimesteps) {
      return timesteps(steps, trainTimesteps);
    }
  },

  /**
   * U-ViT's code, and only with its solvers: evenly from the noise down, in time where training's
   * timesteps are on a grid, else in log-SNR. The times are decimal, and the solver's own.
   */
  UNIFORM(Origin.UVIT) {
    @Override
    public List<Integer> timesteps(int steps, int trainTimesteps) {
      throw new InvalidProperty("spacing", "uniform gives no whole timesteps");
    }
  };

  /** Whose schedulers space like this: diffusers keeps its tables in fp32, OpenAI in fp64. */
  enum Origin {
    DIFFUSERS,
    OPENAI,
    UVIT
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
   * @throws IllegalArgumentException unless {@code 1 <= steps <= trainTimesteps}
   */
  public abstract List<Integer> timesteps(int steps, int trainTimesteps);

  /**
   * The same for diffusers' solvers, which have the end as a point of its own: one more timestep,
   * and the last left out.
   *
   * @throws IllegalArgumentException unless that many are there
   */
  public List<Integer> solverTimesteps(int steps, int trainTimesteps) {
    check(steps, trainTimesteps - 1); // as many steps as timesteps would visit one twice
    return timesteps(steps + 1, trainTimesteps).subList(0, steps);
  }

  /**
   * Parses {@code leading}, {@code openai}, {@code openai-ddim}, {@code linspace}, {@code
   * trailing}, {@code uniform}.
   */
  public static Spacing of(String name) {
    return Named.of(values(), name)
        .orElseThrow(() -> new InvalidProperty("spacing", Named.unknown(values(), name)));
  }

  private static void check(int steps, int most) {
    if (steps < 1 || steps > most) {
      throw new InvalidProperty("steps", "%d is out of range 1..%d".formatted(steps, most));
    }
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
