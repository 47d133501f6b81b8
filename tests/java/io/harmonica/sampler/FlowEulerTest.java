package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Flow matching against diffusers' {@code FlowMatchEulerDiscreteScheduler}: of {@code flow.json},
 * which {@code make_flow.py} beside it wrote, and of the golden schedules.
 */
class FlowEulerTest {
  private static final Path FILE = Path.of("tests/resources/io/harmonica/sampler/flow.json");

  @TempDir Path folder;

  private static JsonNode diffusers() throws IOException {
    return new ObjectMapper().readTree(FILE.toFile());
  }

  private Sampling sampling(JsonNode config, int tokens, Spacing origin) throws IOException {
    ObjectNode fields = JsonNodeFactory.instance.objectNode();
    fields.put("_class_name", FlowScheduler.TYPE).setAll((ObjectNode) config);
    Path file = Files.writeString(folder.resolve("scheduler_config.json"), fields.toString());
    return Sampling.of(Flow.of(tokens), Flow.SAMPLER, origin, false).withScheduler(file);
  }

  private static FlowEuler sampler(Sampling sampling, int steps) {
    return (FlowEuler) sampling.sampler(sampling.sampler(), steps, Optional.empty());
  }

  private static List<Float> floats(JsonNode values) {
    List<Float> floats = new ArrayList<>();
    values.forEach(value -> floats.add((float) value.asDouble()));
    return floats;
  }

  private static Timesteps timesteps(JsonNode values) {
    return new Timesteps(floats(values).stream().map(Float::doubleValue).toList());
  }

  private static float[] array(JsonNode values) {
    float[] array = new float[values.size()];
    for (int i = 0; i < array.length; i++) {
      array[i] = (float) values.path(i).asDouble();
    }
    return array;
  }

  // ---- schedules ----

  @Test
  @Tag("golden")
  void goldenSchedules_areDiffusers_bitForBit() throws IOException {
    JsonNode schedules = Golden.json("flux/schedules/schedules.json");
    assertThat(schedules).isNotEmpty();
    for (JsonNode schedule : schedules) {
      Spacing origin =
          schedule.path("flux_sigmas").asBoolean() ? Spacing.TRAILING : Spacing.LINSPACE;
      int tokens = schedule.path("image_seq_len").asInt(1);
      Sampling sampling = sampling(schedule.path("config"), tokens, origin);
      Flow flow = (Flow) sampling.noising();
      if (flow.shift().type() != Flow.ShiftType.CONSTANT) {
        double mu = schedule.path("mu").asDouble();
        if (schedule.path("image_seq_len").isNull()) { // of no number of tokens
          flow = new Flow(1000, 1, new Flow.Shift(flow.shift().type(), mu), flow.terminal());
        }
        assertThat(flow.shift().by()).isEqualTo(mu);
      }
      FlowEuler sampler = FlowEuler.of(flow, schedule.path("steps").asInt(), origin);
      String what = schedule.path("config") + " " + schedule.path("steps");
      assertThat(sampler.sigmas()).as(what).isEqualTo(floats(schedule.path("sigmas")));
      assertThat(sampler.timesteps()).as(what).isEqualTo(timesteps(schedule.path("timesteps")));
    }
  }

  /** Sigmas and states bit for bit: no operation of a step rounds otherwise. */
  @Test
  void trajectories_areDiffusers_bitForBit() throws IOException {
    JsonNode runs = diffusers().path("trajectories");
    assertThat(runs).hasSize(60);
    for (JsonNode run : runs) {
      Spacing spacing = Spacing.of(run.path("spacing").asText());
      Sampling sampling = sampling(run.path("config"), run.path("tokens").asInt(), spacing);
      FlowEuler sampler = sampler(sampling, run.path("steps").asInt());
      assertThat(sampler.sigmas()).as("%s", run).isEqualTo(floats(run.path("sigmas")));
      assertThat(sampler.timesteps()).isEqualTo(timesteps(run.path("timesteps")));
      JsonNode states = run.path("states");
      ByNumbers numbers = new ByNumbers();
      for (int s = 0; s < sampler.timesteps().size(); s++) {
        float[] x = array(states.path(s));
        float[] output = new float[x.length];
        for (int i = 0; i < x.length; i++) {
          output[i] = (float) Math.tanh(0.7f * x[i] + 0.001f * (float) sampler.timesteps().get(s));
        }
        float[] numbered = x.clone();
        sampler.start().step(s, x, Prediction.of(output), null);
        numbers.step(sampler.linear(s).orElseThrow(), numbered, output);
        assertThat(numbered).isEqualTo(x);
        // torch's tanh differs from Java's in the last bit
        assertClose("state " + (s + 1), x, array(states.path(s + 1)), 5e-7);
      }
    }
  }

  // ---- fields ----

  @Test
  void everyField_isInTheTable() throws IOException {
    Map<String, String> table = new LinkedHashMap<>();
    FlowScheduler.FIELDS.forEach(field -> table.put(field.name(), field.absent()));
    Map<String, String> theirs = new LinkedHashMap<>();
    diffusers()
        .path("fields")
        .properties()
        .forEach(field -> theirs.put(field.getKey(), field.getValue().asText()));
    assertThat(table).containsExactlyInAnyOrderEntriesOf(theirs);
  }

  @Test
  void everyValue_doesWhatItDoesInDiffusers() throws IOException {
    int refused = 0;
    JsonNode bases = diffusers().path("bases");
    for (JsonNode effect : diffusers().path("effects")) {
      for (int b = 0; b < bases.size(); b++) {
        ObjectNode base = bases.path(b).deepCopy();
        Sampler expected = drawn(base);
        Sampler found = drawn(base.deepCopy().set(effect.path(0).asText(), effect.path(1)));
        String what = "%s with %s".formatted(effect, base);
        switch (effect.path(2 + b).asText()) {
          case "none" -> assertThat(found).as(what).isEqualTo(expected).isNotNull();
          case "changes" -> assertThat(found).as(what).isNotEqualTo(expected);
          case "fails" -> assertThat(found).as(what).isNull();
          default -> assertThat(base.has(effect.path(0).asText())).as(what).isTrue();
        }
        refused += found == null ? 1 : 0;
      }
    }
    assertThat(refused).isGreaterThan(20);
  }

  /** What a file has drawn; null where it is refused. */
  private Sampler drawn(JsonNode config) throws IOException {
    try {
      return sampler(sampling(config, 1024, Spacing.TRAILING), 7);
    } catch (HarmonicaException e) {
      return null;
    }
  }

  @Test
  void table_isInTheDocuments() throws IOException {
    List<String> rows =
        FlowScheduler.FIELDS.stream()
            .map(
                field ->
                    "| `%s` (FlowMatchEulerDiscrete) | %s | `FlowEulerTest.everyValue_doesWhatItDoesInDiffusers` |"
                        .formatted(field.name(), field.treatment()))
            .toList();
    assertThat(Files.readAllLines(Path.of("docs/COMPATIBILITY.md"))).containsSequence(rows);
  }

  // ---- what is refused ----

  @Test
  void spacing_ofDiffusion_isRefused() {
    for (Spacing spacing : List.of(Spacing.LEADING, Spacing.OPENAI, Spacing.OPENAI_DDIM)) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> Flow.of(64).sampler(Flow.SAMPLER, 10, spacing))
          .withMessage(
              "`spacing` %s does not go with `sampler` flow-euler; use linspace or trailing",
              spacing);
    }
  }

  @Test
  void schedulers_ofTheOtherKind_areRefused() throws IOException {
    Path file = folder.resolve("scheduler_config.json");
    Sampling dit = Sampling.of(Diffusion.DDPM, "ddim", Spacing.LEADING, false);
    Files.writeString(file, "{\"_class_name\": \"FlowMatchEulerDiscreteScheduler\"}");
    assertThatThrownBy(() -> dit.withScheduler(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            file
                + ": scheduler FlowMatchEulerDiscreteScheduler is for models that were trained on a"
                + " flow, and this one was not: give the one that it was published with");
    Sampling flow = Sampling.of(Flow.of(64), Flow.SAMPLER, Spacing.LINSPACE, false);
    Files.writeString(file, "{\"_class_name\": \"DDIMScheduler\"}");
    assertThatThrownBy(() -> flow.withScheduler(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            file
                + ": scheduler DDIMScheduler is for models that were trained on a diffusion, and"
                + " this one was not: give the one that it was published with");
  }

  @Test
  void values_thatCannotBe_areRefused() throws IOException {
    for (String fields :
        List.of(
            "\"shift\": 0",
            "\"shift\": \"much\"",
            "\"shift_terminal\": 1",
            "\"num_train_timesteps\": 1",
            "\"use_dynamic_shifting\": true, \"max_image_seq_len\": 256",
            "\"use_dynamic_shifting\": true, \"time_shift_type\": \"linear\", \"base_shift\": -9",
            "\"new_in_2027\": 1")) {
      JsonNode config = new ObjectMapper().readTree("{" + fields + "}");
      assertThatThrownBy(() -> sampling(config, 64, Spacing.LINSPACE))
          .as(fields)
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(folder.toString())
          .hasMessageContaining("field ");
    }
  }

  @Test
  void samplers_ofTheOtherKind_areRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Flow.of(64).sampler("ddim", 10, Spacing.LEADING))
        .withMessage(
            "`sampler` ddim is for diffusion, and this model was trained on a flow; use flow-euler");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Diffusion.DDPM.sampler("flow-euler", 10, Spacing.LINSPACE))
        .withMessage(
            "`sampler` flow-euler is for models that were trained on a flow, and this one was not;"
                + " use ddim, dpm-solver++, iddpm or sa-solver");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Flow.of(64).sampler("euler", 10, Spacing.LINSPACE))
        .withMessageStartingWith("`sampler` 'euler' is unknown; use ddim, ");
  }
}
