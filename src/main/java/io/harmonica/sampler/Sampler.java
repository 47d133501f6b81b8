package io.harmonica.sampler;

import java.util.List;
import java.util.Optional;

/**
 * Steps a noisy sample towards the picture; the loop around it is {@code generate}'s.
 *
 * <p>A sampler is a value that trajectories share; what one of them has to remember is in its
 * {@link Stepper}. To add a sampler: one class beside {@link Ddim}, and its name in {@link #NAMES}
 * and {@link #of}.
 */
public interface Sampler {

  /** What {@link #of} knows. */
  List<String> NAMES = List.of("ddim", "dpm-solver++", "iddpm", "sa-solver");

  /** The model's timesteps in execution order. */
  List<Integer> timesteps();

  /** Whether a step reads fresh noise. */
  boolean needsNoise(int step);

  /** Whether steps read the variance that the model learned. */
  default boolean needsVariance() {
    return false;
  }

  /** A step as numbers, for samplers that remember nothing and where the step adds no noise. */
  default Optional<Update> update(int step) {
    return Optional.empty();
  }

  /** Begins a trajectory. */
  Stepper start();

  /**
   * The same sampler with DDIM's eta.
   *
   * @param eta 0 is deterministic, 1 as noisy as DDPM
   * @throws IllegalArgumentException out of range, or where the sampler has none
   */
  default Sampler withEta(double eta) {
    throw new IllegalArgumentException("--eta has an effect with --sampler ddim only");
  }

  /**
   * How a sampler spaces its timesteps by default.
   *
   * @param origin what the model's origin uses, diffusers or OpenAI
   */
  static Spacing spacing(String name, Spacing origin) {
    return isSolver(name) ? Spacing.LINSPACE : origin;
  }

  /**
   * A sampler by its name, for a model trained on linear betas.
   *
   * @throws IllegalArgumentException for an unknown name or step count, or a spacing that is not
   *     the sampler's
   */
  static Sampler of(
      String name,
      int steps,
      Spacing spacing,
      int trainTimesteps,
      double betaStart,
      double betaEnd) {
    if (!NAMES.contains(name)) {
      throw new IllegalArgumentException(
          "--sampler '%s' is unknown; use %s".formatted(name, String.join(", ", NAMES)));
    }
    if (isSolver(name) != (spacing == Spacing.LINSPACE)) {
      throw new IllegalArgumentException(
          "--spacing %s does not go with --sampler %s; use %s"
              .formatted(spacing, name, isSolver(name) ? "linspace" : "leading or openai"));
    }
    List<Integer> timesteps = spacing.timesteps(steps, trainTimesteps);
    NoiseSchedule schedule = NoiseSchedule.linear(trainTimesteps, betaStart, betaEnd, spacing);
    return switch (name) {
      case "ddim" -> new Ddim(timesteps, spacing, schedule, 0);
      case "iddpm" -> new Iddpm(timesteps, spacing, schedule);
      case "dpm-solver++" -> DpmSolver.of(timesteps, schedule);
      default -> SaSolver.of(timesteps, schedule);
    };
  }

  private static boolean isSolver(String name) {
    return name.equals("dpm-solver++") || name.equals("sa-solver");
  }
}
