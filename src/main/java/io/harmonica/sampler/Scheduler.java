package io.harmonica.sampler;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a diffusers {@code scheduler_config.json} says: the sampler that does the same, and the
 * noise schedule.
 *
 * @param sampler a name of {@link Sampler#NAMES}
 */
public record Scheduler(
    String sampler, Spacing spacing, int trainTimesteps, double betaStart, double betaEnd) {

  private static final int MOST_TIMESTEPS = 1_000_000;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // lambda_min_clipped is -Infinity
          .build();

  /** The one value of a field that our samplers follow, and diffusers' own where it is absent. */
  private record Field(String name, String supported, String absent) {}

  private static final List<Field> COMMON =
      List.of(
          new Field("beta_schedule", "linear", "linear"),
          new Field("trained_betas", "null", "null"),
          new Field("prediction_type", "epsilon", "epsilon"),
          new Field("thresholding", "false", "false"),
          new Field("rescale_betas_zero_snr", "false", "false"),
          new Field("steps_offset", "0", "0"));

  private static final List<Field> SOLVER =
      List.of(
          new Field("timestep_spacing", "linspace", "linspace"),
          new Field("lower_order_final", "true", "true"),
          new Field("use_karras_sigmas", "false", "false"),
          new Field("use_exponential_sigmas", "false", "false"),
          new Field("use_beta_sigmas", "false", "false"),
          new Field("use_lu_lambdas", "false", "false"),
          new Field("use_flow_sigmas", "false", "false"));

  /** Our samplers by the name of diffusers' class. */
  private static final Map<String, String> SAMPLERS =
      new TreeMap<>(
          Map.of(
              "DDIMScheduler", "ddim",
              "DDPMScheduler", "iddpm",
              "DPMSolverMultistepScheduler", "dpm-solver++",
              "SASolverScheduler", "sa-solver"));

  private static final Map<String, List<Field>> OWN = new LinkedHashMap<>();

  static {
    Field leading = new Field("timestep_spacing", "leading", "leading");
    Field unclipped = new Field("clip_sample", "false", "true");
    OWN.put("ddim", List.of(leading, unclipped, new Field("set_alpha_to_one", "true", "true")));
    OWN.put(
        "iddpm",
        List.of(leading, unclipped, new Field("variance_type", "learned_range", "fixed_small")));
    OWN.put(
        "dpm-solver++",
        List.of(
            new Field("solver_order", "2", "2"),
            new Field("algorithm_type", "dpmsolver++", "dpmsolver++"),
            new Field("solver_type", "midpoint", "midpoint"),
            new Field("euler_at_final", "false", "false"),
            new Field("final_sigmas_type", "zero", "zero")));
    OWN.put(
        "sa-solver",
        List.of(
            new Field("predictor_order", "2", "2"),
            new Field("corrector_order", "2", "2"),
            new Field("algorithm_type", "data_prediction", "data_prediction"),
            new Field("tau_func", "null", "null")));
  }

  /** Reads a {@code scheduler_config.json}; what our samplers would do otherwise is refused. */
  public static Scheduler read(Path file) {
    JsonNode json;
    try {
      json = JSON.readTree(Files.readAllBytes(file));
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read scheduler %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
    String type = json.path("_class_name").asText();
    String sampler = SAMPLERS.get(type);
    if (sampler == null) {
      throw new HarmonicaException(
          "%s: scheduler '%s' is unknown, expected %s: name one of these there"
              .formatted(file, type, String.join(", ", SAMPLERS.keySet())));
    }
    Spacing spacing = Sampler.spacing(sampler, Spacing.LEADING);
    COMMON.forEach(field -> require(file, json, field));
    if (spacing == Spacing.LINSPACE) {
      SOLVER.forEach(field -> require(file, json, field));
    }
    OWN.get(sampler).forEach(field -> require(file, json, field));
    return new Scheduler(
        sampler,
        spacing,
        trainTimesteps(file, json),
        beta(file, json, "beta_start", 1e-4),
        beta(file, json, "beta_end", 0.02));
  }

  private static void require(Path file, JsonNode json, Field field) {
    JsonNode value = json.path(field.name);
    String found =
        value.isMissingNode()
            ? field.absent
            : value.isValueNode() ? value.asText() : value.toString();
    if (!found.equals(field.supported)) {
      throw new HarmonicaException(
          "%s: field %s is %s%s, expected %s, the only one supported"
              .formatted(
                  file,
                  field.name,
                  found,
                  value.isMissingNode() ? " where it is absent" : "",
                  field.supported));
    }
  }

  private static int trainTimesteps(Path file, JsonNode json) {
    JsonNode value = json.path("num_train_timesteps");
    int timesteps = value.isMissingNode() ? 1000 : value.isInt() ? value.asInt() : 0;
    if (timesteps < 2 || timesteps > MOST_TIMESTEPS) {
      throw new HarmonicaException(
          "%s: field num_train_timesteps is %s, expected a whole number from 2 to %d"
              .formatted(file, value, MOST_TIMESTEPS));
    }
    return timesteps;
  }

  private static double beta(Path file, JsonNode json, String field, double absent) {
    JsonNode value = json.path(field);
    double beta = value.isMissingNode() ? absent : value.asDouble(Double.NaN);
    if (!(beta > 0 && beta < 1)) {
      throw new HarmonicaException(
          "%s: field %s is %s, expected a number above 0 and below 1"
              .formatted(file, field, value));
    }
    return beta;
  }
}
