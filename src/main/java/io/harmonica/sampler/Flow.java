package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
import java.util.Locale;
import java.util.OptionalDouble;

/**
 * Rectified flow (Liu et al., arXiv 2209.03003; Esser et al., arXiv 2403.03206): a sample at sigma
 * is {@code (1 - sigma) x0 + sigma epsilon}, the model predicts the velocity {@code epsilon - x0},
 * and is told the timestep {@code trainTimesteps * sigma}, a decimal.
 *
 * @param tokens of a picture, which some schedules depend on
 * @param shift of the sigmas that are visited
 * @param terminal what the schedule is stretched to end at before 0; empty: it is not stretched
 */
public record Flow(int trainTimesteps, int tokens, Shift shift, OptionalDouble terminal)
    implements Noising {

  /** What draws with it. */
  static final String SAMPLER = "flow-euler";

  /** Sigmas as they are, for pictures of so many tokens. */
  public static Flow of(int tokens) {
    return new Flow(1000, tokens, new Shift(ShiftType.CONSTANT, 1), OptionalDouble.empty());
  }

  /** How sigmas are moved towards the noise. */
  public enum ShiftType {
    /** {@code by s / (1 + (by - 1) s)}. */
    CONSTANT,
    /** {@code e / (e + 1/s - 1)} with {@code e = exp(by)}; by depends on the tokens. */
    EXPONENTIAL,
    /** The same with {@code e = by}. */
    LINEAR;

    /** By its name, as {@link #toString} has it. */
    public static ShiftType of(String name) {
      return Named.of(values(), name, "shift");
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /** A type with its strength, diffusers' {@code shift} or {@code mu}. */
  public record Shift(ShiftType type, double by) {
    public Shift {
      if (!(Double.isFinite(by) && (by > 0 || type == ShiftType.EXPONENTIAL))) {
        throw new IllegalArgumentException("a %s shift by %s moves nothing".formatted(type, by));
      }
    }
  }

  @Override
  public Sampler sampler(String name, int steps, Spacing spacing) {
    Sampler.requireKnown(name);
    if (!name.equals(SAMPLER)) {
      throw new InvalidProperty(
          "sampler",
          "%s is for diffusion, and this model was trained on a flow; use %s"
              .formatted(name, SAMPLER));
    }
    return FlowEuler.of(this, steps, spacing);
  }
}
