package io.harmonica.sampler;

import static io.harmonica.sampler.SchedulerField.any;
import static io.harmonica.sampler.SchedulerField.bound;
import static io.harmonica.sampler.SchedulerField.inert;
import static io.harmonica.sampler.SchedulerField.some;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * diffusers' schedulers and what is done with each of their fields, as data (diffusers 0.42.1).
 *
 * <p>A field that a class does not have is not read by it: diffusers keeps such fields in a file
 * that was made from another scheduler's.
 */
final class SchedulerFields {
  private SchedulerFields() {}

  /** What the model itself needs, whatever draws with it; read of every class. */
  static final List<SchedulerField> MODEL =
      List.of(
          any("num_train_timesteps", "1000"),
          any("beta_start", "0.0001").inertWhere("beta_schedule", Betas.COSINE.toString()),
          any("beta_end", "0.02").inertWhere("beta_schedule", Betas.COSINE.toString()),
          some("beta_schedule", names(Betas.values())),
          some("trained_betas", "null"),
          some("prediction_type", names(Predicts.values())),
          some("rescale_betas_zero_snr", "false"));

  /** Of classes beside ours, and of older files: these say that the model is another. */
  static final List<SchedulerField> OF_OTHERS =
      List.of(
          some("use_flow_sigmas", "false", "null"),
          some("timestep_type", "discrete"),
          some("predict_epsilon", "true"));

  /** What every class of ours has beside that. */
  private static final List<SchedulerField> COMMON =
      List.of(
          some("timestep_spacing", "leading", "linspace", "trailing"),
          some("steps_offset", "0").inertUnless("timestep_spacing", "leading"),
          some("thresholding", "false"),
          inert("dynamic_thresholding_ratio", "0.995"),
          inert("sample_max_value", "1.0"));

  private static final List<SchedulerField> ONE_STEP =
      List.of(some("clip_sample", "false").absent("true"), inert("clip_sample_range", "1.0"));

  private static final List<SchedulerField> SOLVER =
      List.of(
          some("use_karras_sigmas", "false"),
          some("use_exponential_sigmas", "false"),
          some("use_beta_sigmas", "false"),
          some("use_flow_sigmas", "false", "null"),
          inert("flow_shift", "1.0"),
          bound("lambda_min_clipped", "-Infinity"),
          inert("variance_type", "null")); // cuts a learned variance off, as is done here anyway

  /**
   * A class that one of our samplers follows.
   *
   * @param fields all that its constructor takes, the model's first
   */
  record Followed(String sampler, Spacing spacing, List<SchedulerField> fields) {}

  /** The classes that our samplers follow, by name. */
  static final Map<String, Followed> FOLLOWED = new LinkedHashMap<>();

  static {
    follow("DDIMScheduler", "ddim", ONE_STEP, List.of(some("set_alpha_to_one", "true")));
    follow(
        "DDPMScheduler",
        "iddpm",
        ONE_STEP,
        List.of(some("variance_type", "learned_range").absent("fixed_small")));
    follow(
        "DPMSolverMultistepScheduler",
        "dpm-solver++",
        SOLVER,
        List.of(
            some("solver_order", "2"),
            some("algorithm_type", "dpmsolver++"),
            some("solver_type", "midpoint", "logrho", "bh1", "bh2"), // taken for the first
            some("final_sigmas_type", "zero"),
            inert("lower_order_final", "true"), // the last step is of first order all the same
            inert("euler_at_final", "false"),
            some("use_lu_lambdas", "false", "null"),
            inert("use_dynamic_shifting", "false"),
            inert("time_shift_type", "exponential")));
    follow(
        "SASolverScheduler",
        "sa-solver",
        SOLVER,
        List.of(
            some("predictor_order", "2"),
            some("corrector_order", "2"),
            some("algorithm_type", "data_prediction"),
            some("tau_func", "null"),
            some("lower_order_final", "true")));
  }

  /** Classes for the same models as ours, that draw in ways which no sampler here follows. */
  static final List<String> UNFOLLOWED =
      List.of(
          "DEISMultistepScheduler",
          "DPMSolverSDEScheduler",
          "DPMSolverSinglestepScheduler",
          "EulerAncestralDiscreteScheduler",
          "EulerDiscreteScheduler",
          "HeunDiscreteScheduler",
          "KDPM2AncestralDiscreteScheduler",
          "KDPM2DiscreteScheduler",
          "LMSDiscreteScheduler",
          "PNDMScheduler",
          "UniPCMultistepScheduler");

  /** Fields of those only. */
  private static final Set<String> UNFOLLOWED_FIELDS =
      Set.of(
          "disable_corrector",
          "interpolation_type",
          "noise_sampler_seed",
          "predict_x0",
          "shift_terminal",
          "sigma_max",
          "sigma_min",
          "skip_prk_steps",
          "solver_p",
          "timestep_type",
          "use_flow_sigmas");

  /** Whether a scheduler is one of diffusers' for models that are drawn here. */
  static boolean isClass(String type) {
    return FOLLOWED.containsKey(type)
        || UNFOLLOWED.contains(type)
        || type.equals(FlowScheduler.TYPE);
  }

  /** Whether some class here has a field, so that another leaves it unread. */
  static boolean isKnown(String name) {
    return Stream.of(MODEL, OF_OTHERS, FlowScheduler.FIELDS)
            .flatMap(List::stream)
            .anyMatch(field -> field.name().equals(name))
        || UNFOLLOWED_FIELDS.contains(name)
        || FOLLOWED.values().stream()
            .flatMap(followed -> followed.fields().stream())
            .anyMatch(field -> field.name().equals(name));
  }

  private static void follow(
      String type, String sampler, List<SchedulerField> kind, List<SchedulerField> own) {
    Spacing spacing = Sampler.spacing(sampler, Spacing.LEADING);
    List<SchedulerField> fields =
        Stream.of(MODEL, COMMON, kind, own)
            .flatMap(List::stream)
            // no field of SA-Solver's, though a model that needs it is refused there, too
            .filter(f -> !sampler.equals("sa-solver") || !f.name().equals("rescale_betas_zero_snr"))
            .map(f -> f.name().equals("timestep_spacing") ? f.absent(spacing.toString()) : f)
            .toList();
    FOLLOWED.put(type, new Followed(sampler, spacing, fields));
  }

  private static String[] names(Object[] values) {
    return Arrays.stream(values).map(Object::toString).toArray(String[]::new);
  }
}
