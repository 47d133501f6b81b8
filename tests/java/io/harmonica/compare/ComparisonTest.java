package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.triton.ServerOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On a small golden model, embedded. */
@Tag("golden")
class ComparisonTest {
  @TempDir static Path folder;

  @BeforeAll
  static void export() {
    try (Checkpoint golden = Golden.open("dit");
        Checkpoint shapes = Checkpoint.open(Path.of("export/shapes-dit"))) {
      export("dit", golden);
      export("shapes-dit", shapes);
    }
  }

  private static void export(String name, Checkpoint checkpoint) {
    Model model = Exports.model(checkpoint);
    ExportOptions options = ExportOptions.of(name).withForce(true).withStepsPerRequest(2);
    new Exporter(model, List.of(Exports.everyOther("r", model)), options)
        .export(folder.resolve("repository"));
  }

  private static Comparison open(String... variants) {
    Map<String, String> common =
        Map.of("model-repository", folder.resolve("repository").toString(), "model", "dit");
    List<Setting> settings = new ArrayList<>();
    for (String variant : variants) {
      settings.add(Setting.of(Setting.fields(variant, ""), common, ""));
    }
    return Comparison.open(settings, ServerOptions.DEFAULTS);
  }

  private static Comparison.Plan plan(int batch, int perRound) {
    return new Comparison.Plan(
        new Rounds(2, WarmUp.fixed(0), Load.ONE_BY_ONE, 3),
        new Subjects(List.of(2, 0, 1), perRound, 3),
        batch);
  }

  private static List<Report.Entry> run(Comparison comparison, Comparison.Plan plan) {
    Outcome outcome = comparison.run(plan, Rounds.SILENT, () -> false);
    return comparison.entries(plan, outcome, Optional.empty());
  }

  @Test
  void run_makesTheSamePictures_inBatchesOfAnySize() {
    try (Comparison comparison = open("steps=2", "steps=2,batch=1", "steps=2,batch=3")) {
      List<Report.Entry> entries = run(comparison, plan(4, 4));
      assertThat(entries.get(0).measurement().latenciesNanos()).hasSize(2);
      assertThat(entries.get(1).measurement().latenciesNanos()).hasSize(8);
      assertThat(entries.get(2).measurement().latenciesNanos()).hasSize(4);
      float[] expected = entries.get(0).measurement().latents().values();
      for (Report.Entry entry : entries) {
        assertThat(entry.measurement().pictures()).isEqualTo(8);
        Golden.assertClose(entry.name(), entry.measurement().latents().values(), expected, 1e-5);
      }
      assertThat(comparison.names())
          .containsExactly("none", "none (batches of 1)", "none (batches of 3)");
    }
  }

  @Test
  void entries_weighStepsRoutersAndGuidance() {
    try (Comparison comparison =
        open("steps=4", "steps=2", "r", "steps=4,guidance=1", "steps=4,model=dit")) {
      List<Report.Entry> entries = run(comparison, plan(2, 2));
      assertThat(entries.get(1).theoreticalSpeedup()).isCloseTo(2, within(1e-9));
      assertThat(entries.get(2).setting().style().steps()).hasValue(2);
      assertThat(entries.get(2).cur()).isEqualTo(0.5);
      assertThat(entries.get(2).theoreticalSpeedup()).isBetween(2.5, 4.0);
      assertThat(entries.get(3).theoreticalSpeedup()).isCloseTo(2, within(1e-9));
      assertThat(entries.get(4).theoreticalSpeedup()).isEqualTo(1);
      assertThat(entries.get(2).measurement().peakCacheBytes()).isPositive();
      assertThat(entries.get(0).measurement().peakCacheBytes()).isZero();
      TimeSplit split = entries.get(0).split();
      assertThat(split.millis().get(TimeSplit.Part.EMBED)).isPositive();
      assertThat(split.millis().get(TimeSplit.Part.BLOCKS)).isPositive();
      assertThat(split.millis().get(TimeSplit.Part.HEAD)).isPositive();
      assertThat(split.millis().get(TimeSplit.Part.TRANSFER)).isZero();
      double mean =
          Arrays.stream(entries.get(0).measurement().latenciesNanos()).average().orElseThrow();
      assertThat(split.totalMillis()).isCloseTo(mean / 1e6, within(1e-6)); // nothing left out
    }
  }

  @Test
  void stepsOfARequest_areAVariantsOwn() {
    try (Comparison comparison =
        open("router=r,steps-per-request=1", "router=r,steps-per-request=2")) {
      List<Report.Entry> entries = run(comparison, plan(2, 2));
      assertThat(comparison.names()).containsExactly("r (step by step)", "r (2 steps a request)");
      float[] expected = entries.get(0).measurement().latents().values();
      for (int i = 0; i < 2; i++) {
        Measurement measurement = entries.get(i).measurement();
        Golden.assertClose("r", measurement.latents().values(), expected, 1e-5);
        for (Turn turn : measurement.turns()) {
          assertThat(turn.spent().models().containsKey("dit-sampler")).isEqualTo(i == 1);
        }
      }
    }
    assertThatThrownBy(() -> open("r", "router=r,steps-per-request=3"))
        .hasMessageContaining("model dit has ensembles for 1 or 2, not for 3 steps in one request");
  }

  @Test
  void open_refusesModelsOfOtherLatents() {
    JsonNode dit = Golden.json("dit/config.json");
    int channels = dit.path("in_channels").intValue();
    int size = dit.path("sample_size").intValue();
    assertThatThrownBy(() -> open("steps=2", "steps=2,model=shapes-dit"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "variants 'none (model dit)' and 'none (model shapes-dit)' cannot be compared: model dit"
                + " draws latents [%1$d, %2$d, %2$d], model shapes-dit [3, 32, 32]; compare models of"
                + " one latent shape",
            channels, size);
  }

  @Test
  void open_refusesARouterThatIsNotThere() {
    assertThatThrownBy(() -> open("none", "fora-9"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("model dit has no router 'fora-9', it has r");
  }
}
