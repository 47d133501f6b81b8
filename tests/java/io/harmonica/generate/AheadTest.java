package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.HandleLedger;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AheadTest {
  private static final int STEPS = 8;
  private static final int ROWS = 6; // three pictures with guidance

  @TempDir Path folder;

  @BeforeEach
  void export() {
    Exports.export(
        Checkpoints.DIT, OptionalInt.empty(), List.of(), ExportOptions.of("dit"), folder);
  }

  private record Outcome(float[] samples, long calls) {}

  /** With a condition engine that takes so many rows at once. */
  private Outcome generate(int rows) throws IOException {
    Path engine = folder.resolve("dit-condition");
    ModelConfig config = ConfigFile.read(engine).toBuilder().setMaxBatchSize(rows).build();
    Files.writeString(engine.resolve(ConfigFile.NAME), ConfigFile.print(config));
    EmbeddedRuntime runtime = EmbeddedRuntime.open(folder);
    HandleLedger handles = new HandleLedger(runtime);
    try (Pipeline pipeline = Pipeline.over(handles, "dit")) {
      Request request = Request.of(List.of(1, 5, 9)).withSteps(STEPS).withGuidance(1.5);
      float[] samples = pipeline.generate(request).latents().values();
      assertThat(handles.open()).isEmpty();
      return new Outcome(samples, runtime.statistics().models().get("dit-condition").count());
    }
  }

  @Test
  void conditions_areMadeForAsManyStepsAtOnceAsTheirEngineTakes() throws IOException {
    Outcome stepwise = generate(2 * ROWS - 1);
    Outcome inThrees = generate(3 * ROWS + 1);
    Outcome atOnce = generate(STEPS * ROWS);
    assertThat(stepwise.calls()).isEqualTo(STEPS);
    assertThat(inThrees.calls()).isEqualTo(3);
    assertThat(atOnce.calls()).isEqualTo(1);
    assertClose("in threes", inThrees.samples(), stepwise.samples(), 1e-5);
    assertClose("at once", atOnce.samples(), stepwise.samples(), 1e-5);
  }

  @Test
  void export_givesTheEngineRoomForManySteps() {
    int most = ConfigFile.read(folder.resolve("dit-condition")).getMaxBatchSize();
    assertThat(most).isGreaterThan(STEPS * ROWS);
  }
}
