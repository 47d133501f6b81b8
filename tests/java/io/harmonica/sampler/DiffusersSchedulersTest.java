package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.integers;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Samplers and the table of fields against diffusers' schedulers, of which {@code make.py} beside
 * these numbers wrote what they have and what they do.
 */
class DiffusersSchedulersTest {
  private static final Path FOLDER = Path.of("tests/resources/io/harmonica/sampler");
  private static final Path TRAJECTORIES = FOLDER.resolve("trajectories.safetensors");
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS).build();
  private static final JsonNode DIFFUSERS = read(FOLDER.resolve("schedulers.json"));

  /** What our samplers ask of a class before anything else, as the numbers were made with. */
  private static final Map<String, String> BASE =
      Map.of(
          "DDIMScheduler", "{\"clip_sample\": false}",
          "DDPMScheduler", "{\"clip_sample\": false, \"variance_type\": \"learned_range\"}",
          "DPMSolverMultistepScheduler", "{}",
          "SASolverScheduler", "{}");

  @TempDir Path folder;

  private static JsonNode read(Path file) {
    try {
      return JSON.readTree(file.toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Set<String> followed() {
    return SchedulerFields.FOLLOWED.keySet();
  }

  // ---- fields ----

  /** A field that is new in diffusers fails here until somebody has found out what it does. */
  @ParameterizedTest
  @MethodSource("followed")
  void everyField_isInTheTable(String type) {
    Map<String, String> table = new LinkedHashMap<>();
    for (SchedulerField field : SchedulerFields.FOLLOWED.get(type).fields()) {
      assertThat(table.put(field.name(), field.absent())).as(field.name()).isNull();
    }
    Map<String, String> theirs = new LinkedHashMap<>();
    DIFFUSERS
        .path("fields")
        .path(type)
        .properties()
        .forEach(
            field ->
                theirs.put(
                    field.getKey(),
                    field.getKey().equals("beta_start")
                        ? "0.0001" // Java writes it 1.0E-4
                        : field.getValue().asText()));
    assertThat(table).containsExactlyInAnyOrderEntriesOf(theirs);
  }

  /** Fields that files keep from another scheduler are known, and so are their defaults. */
  @Test
  void everyFieldOfOtherClasses_isKnown() {
    Set<String> types = new TreeSet<>(SchedulerFields.UNFOLLOWED);
    types.addAll(followed());
    DIFFUSERS
        .path("fields")
        .properties()
        .forEach(
            type -> {
              assertThat(types.remove(type.getKey())).as(type.getKey()).isTrue();
              type.getValue()
                  .fieldNames()
                  .forEachRemaining(
                      name -> assertThat(SchedulerFields.isKnown(name)).as(name).isTrue());
              assertThat(type.getValue().path("num_train_timesteps").asInt()).isEqualTo(1000);
              assertThat(type.getValue().path("prediction_type").asText()).isEqualTo("epsilon");
            });
    assertThat(types).isEmpty();
  }

  /** What changes diffusers' pictures changes ours or is refused; what does not, does not. */
  @Test
  void everyValue_doesWhatItDoesInDiffusers() throws IOException {
    int refused = 0;
    int inert = 0;
    for (JsonNode effect : DIFFUSERS.path("effects")) {
      String type = effect.path(0).asText();
      for (int b = 0; b < DIFFUSERS.path("bases").size(); b++) {
        ObjectNode base = (ObjectNode) JSON.readTree(BASE.get(type));
        base.put("_class_name", type).setAll((ObjectNode) DIFFUSERS.path("bases").path(b));
        ObjectNode changed = base.deepCopy().set(effect.path(1).asText(), effect.path(2));
        Sampling expected = sampling(base);
        Sampling found = sampling(changed);
        String what = "%s with %s".formatted(effect, DIFFUSERS.path("bases").path(b));
        switch (effect.path(3 + b).asText()) {
          case "none" -> assertThat(found).as(what).isEqualTo(expected).isNotNull();
          case "changes" -> assertThat(found).as(what).isNotEqualTo(expected);
          case "fails" -> assertThat(found).as(what).isNull();
          default -> assertThat(base.has(effect.path(1).asText())).as(what).isTrue();
        }
        refused += found == null ? 1 : 0;
        inert += expected.equals(found) ? 1 : 0;
      }
    }
    assertThat(refused).isGreaterThan(100);
    assertThat(inert).isGreaterThan(100);
  }

  /** As a file says; null where it is refused. */
  private Sampling sampling(ObjectNode fields) throws IOException {
    Path file = folder.resolve("scheduler_config.json");
    Files.writeString(file, fields.toString().replace("\"-Infinity\"", "-Infinity"));
    try {
      Sampling says =
          Sampling.of(Diffusion.DDPM, "ddim", Spacing.LEADING, true).withScheduler(file);
      assertThat(says.sampler()).isNotNull(); // or throws
      return says;
    } catch (HarmonicaException e) {
      return null;
    }
  }

  @Test
  void table_isInTheDocuments() throws IOException {
    List<String> rows = new ArrayList<>();
    Map<String, List<String>> classes = new LinkedHashMap<>();
    SchedulerFields.FOLLOWED.forEach(
        (type, followed) ->
            followed
                .fields()
                .forEach(
                    field ->
                        classes
                            .computeIfAbsent(row(field), row -> new ArrayList<>())
                            .add(type.replace("Scheduler", ""))));
    classes.forEach(
        (row, types) ->
            rows.add(
                row.formatted(
                    types.size() == followed().size() ? "all" : String.join(", ", types))));
    assertThat(Files.readAllLines(Path.of("docs/COMPATIBILITY.md"))).containsSequence(rows);
  }

  private static String row(SchedulerField field) {
    return "| `%s` (%%s) | %s | `DiffusersSchedulersTest.everyValue_doesWhatItDoesInDiffusers` |"
        .formatted(field.name(), field.treatment());
  }

  // ---- numbers ----

  static List<String> timesteps() {
    List<String> names = new ArrayList<>();
    DIFFUSERS.path("timesteps").fieldNames().forEachRemaining(names::add);
    return names;
  }

  @ParameterizedTest
  @MethodSource("timesteps")
  void timesteps_areDiffusers(String run) {
    String[] parts = run.split(" (?=\\S+ \\d+ \\d+$)| (?=\\d)");
    Spacing spacing = Spacing.of(parts[1]);
    int train = Integer.parseInt(parts[2]);
    int steps = Integer.parseInt(parts[3]);
    assertThat(
            parts[0].equals("solver")
                ? spacing.solverTimesteps(steps, train)
                : spacing.timesteps(steps, train))
        .isEqualTo(integers(DIFFUSERS.path("timesteps").path(run)));
  }

  private static Diffusion diffusion(String betas, String predicts) {
    boolean scaled = betas.equals("scaled_linear");
    return new Diffusion(
        1000,
        Betas.of(betas),
        scaled ? 0.00085 : 1e-4,
        scaled ? 0.012 : 0.02,
        Predicts.of(predicts));
  }

  /** Bit for bit, but for linear betas: there our fp32 products round otherwise than torch's. */
  @Test
  void noiseSchedules_areDiffusers() {
    try (Checkpoint vectors = Checkpoint.open(TRAJECTORIES)) {
      for (Betas betas : Betas.values()) {
        float[] expected = floats(vectors, "alphas_cumprod." + betas);
        double[] table =
            diffusion(betas.toString(), "epsilon").schedule(Spacing.LEADING).alphaBar();
        assertThat(table).hasSameSizeAs(expected);
        for (int t = 0; t < table.length; t++) {
          double tolerance = betas == Betas.LINEAR ? 1e-6 * expected[t] : 0;
          assertThat(Math.abs(table[t] - expected[t]))
              .as("%s %d", betas, t)
              .isLessThanOrEqualTo(tolerance);
        }
      }
    }
  }

  static List<String> trajectories() {
    try (Checkpoint vectors = Checkpoint.open(TRAJECTORIES)) {
      return vectors.names().stream()
          .filter(name -> name.matches("(.+\\.){3}.+"))
          .sorted()
          .toList();
    }
  }

  /**
   * Step by step from diffusers' own states, and the whole trajectory. Its model is {@code tanh(0.7
   * x + 0.001 t)}, whatever that is taken for, with {@code 0.5 sin x} as variance.
   */
  @ParameterizedTest
  @MethodSource("trajectories")
  void trajectory_isDiffusers(String run) {
    String[] parts = run.split("\\.");
    String name = parts[0].replace("-eta1", "");
    Sampler sampler = Sampler.of(name, 7, Spacing.of(parts[3]), diffusion(parts[2], parts[1]));
    if (parts[0].endsWith("-eta1")) {
      sampler = sampler.withEta(1);
    }
    try (Checkpoint vectors = Checkpoint.open(TRAJECTORIES)) {
      float[] x = floats(vectors, "x_init");
      float[] noise = floats(vectors, "noise");
      float[] states = floats(vectors, run);
      ByNumbers numbers = new ByNumbers();
      Stepper own = sampler.start();
      Stepper guided = sampler.start(); // put back to diffusers' state before each step
      for (int s = 0; s < 7; s++) {
        float[] z = row(noise, s, x.length);
        float[] one = row(states, s, x.length);
        float[] next = row(states, s + 1, x.length);
        int timestep = (int) sampler.timesteps().whole(s);
        guided.step(s, one, prediction(one, timestep), z);
        assertClose("one step from state " + s, one, next, tolerance(next));
        own.step(s, x, prediction(x, timestep), z);
        if (sampler.linear(s).isPresent()) {
          float[] numbered = row(states, s, x.length);
          numbers.step(sampler.linear(s).get(), numbered, prediction(numbered, timestep).output());
          assertClose("by numbers from state " + s, numbered, next, tolerance(next));
        }
        assertClose("x after step " + s, x, next, 5 * tolerance(next));
      }
    }
  }

  /** As of the golden trajectories: 1e-4, and where x is large in proportion to it. */
  private static double tolerance(float[] x) {
    return Math.max(1e-4, trajectoryTolerance(x));
  }

  private static float[] row(float[] values, int row, int size) {
    return Arrays.copyOfRange(values, row * size, (row + 1) * size);
  }

  private static Prediction prediction(float[] x, int timestep) {
    float[] output = new float[x.length];
    float[] variance = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      output[i] = (float) Math.tanh(0.7f * x[i] + 0.001f * timestep);
      variance[i] = 0.5f * (float) Math.sin(x[i]);
    }
    return new Prediction(output, variance);
  }
}
