package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
import io.harmonica.Timesteps;
import java.util.List;
import java.util.Optional;

/**
 * Steps a noisy sample towards the picture; the loop around it is {@code generate}'s.
 *
 * <p>A sampler is a value that trajectories share; what one of them has to remember is in its
 * {@link Stepper}. How to add one is in docs/EXTENDING.md.
 */
public interface Sampler {

  /** What {@link #of} knows. */
  List<String> NAMES =
      List.of(
          "ddim",
          "dpm-solver++",
          "dpm-solver-2",
          "dpm-solver-fast",
          Flow.SAMPLER,
          "iddpm",
          "sa-solver");

  /** Those of them for models that take any time: {@link Singlestep}. */
  List<String> ANY_TIME = List.of("dpm-solver-2", "dpm-solver-fast");

  /** Those of them whose steps are {@link Linear}, as long as they add no noise. */
  List<String> LINEAR =
      List.of("ddim", "dpm-solver++", "dpm-solver-2", "dpm-solver-fast", Flow.SAMPLER);

  /** The model's timesteps in execution order. */
  Timesteps timesteps();

  /** Whether a step reads fresh noise. */
  boolean needsNoise(int step);

  /** Whether steps read the variance that the model learned. */
  default boolean needsVariance() {
    return false;
  }

  /** Whether a step begins an update, as every step does but those of singlestep solvers. */
  default boolean beginsUpdate(int step) {
    return true;
  }

  /**
   * A step as numbers, of a trajectory that began at step 0; empty where the step adds noise, or is
   * no such step.
   */
  default Optional<Linear> linear(int step) {
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
    throw new InvalidProperty("eta", "has an effect with `sampler` ddim only");
  }

  /**
   * How a sampler spaces its timesteps by default.
   *
   * @param origin what the model's origin uses, diffusers or OpenAI
   */
  static Spacing spacing(String name, Spacing origin) {
    if (ANY_TIME.contains(name)) {
      return Spacing.UNIFORM;
    }
    return isSolver(name) ? Spacing.LINSPACE : origin;
  }

  /**
   * A sampler by its name, for a model of diffusion at whole timesteps; {@link Noising#sampler} is
   * for any.
   *
   * @throws IllegalArgumentException for an unknown name or step count, or a spacing that is not
   *     the sampler's or the model's
   */
  static Sampler of(String name, int steps, Spacing spacing, Diffusion diffusion) {
    requireKnown(name);
    if (ANY_TIME.contains(name)) {
      throw new InvalidProperty(
          "sampler",
          "%s is for models that take any time, and this one takes whole timesteps; use %s"
              .formatted(name, Named.listed(ofDiffusion())));
    }
    if (spacing == Spacing.UNIFORM) {
      throw new InvalidProperty(
          "spacing", "%s goes with `sampler` %s only".formatted(spacing, Named.listed(ANY_TIME)));
    }
    if (name.equals(Flow.SAMPLER)) {
      throw new InvalidProperty(
          "sampler",
          "%s is for models that were trained on a flow, and this one was not; use %s"
              .formatted(name, Named.listed(ofDiffusion())));
    }
    Predicts predicts = diffusion.predicts();
    if (spacing.origin() == Spacing.Origin.OPENAI) {
      requireOpenAi(name, spacing, predicts);
    }
    NoiseSchedule schedule = diffusion.schedule(spacing);
    Timesteps timesteps =
        Timesteps.of(
            isSolver(name)
                ? spacing.solverTimesteps(steps, diffusion.trainTimesteps())
                : spacing.timesteps(steps, diffusion.trainTimesteps()));
    return switch (name) {
      case "ddim" -> new Ddim(timesteps, spacing, schedule, predicts, 0);
      case "iddpm" -> new Iddpm(timesteps, spacing, schedule, predicts);
      case "dpm-solver++" -> DpmSolver.of(timesteps, schedule, predicts);
      case "sa-solver" -> SaSolver.of(timesteps, schedule, predicts);
      default -> throw new IllegalStateException("sampler " + name + " is not made here");
    };
  }

  /** Refuses a name that none has. */
  static void requireKnown(String name) {
    if (!NAMES.contains(name)) {
      throw new InvalidProperty(
          "sampler", "'%s' is unknown; use %s".formatted(name, String.join(", ", NAMES)));
    }
  }

  /** Those for models of {@link Diffusion}. */
  static List<String> ofDiffusion() {
    return NAMES.stream()
        .filter(name -> !ANY_TIME.contains(name) && !name.equals(Flow.SAMPLER))
        .toList();
  }

  /** The fewest steps that a sampler takes. */
  static int fewest(String name) {
    return name.equals("dpm-solver-2") ? 2 : 1;
  }

  private static void requireOpenAi(String name, Spacing spacing, Predicts predicts) {
    if (isSolver(name)) {
      throw new InvalidProperty(
          "spacing",
          "%s does not go with `sampler` %s; use linspace, leading or trailing"
              .formatted(spacing, name));
    }
    if (predicts == Predicts.VELOCITY) {
      throw new InvalidProperty(
          "spacing",
          "%s follows OpenAI's code, which has no model that predicts %s; use leading, linspace or trailing"
              .formatted(spacing, predicts));
    }
  }

  private static boolean isSolver(String name) {
    return name.equals("dpm-solver++") || name.equals("sa-solver");
  }
}
