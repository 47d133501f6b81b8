package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling.Step;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Triton reads, word by word: the files in the test resources are what it was tried with. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ConfigsTest {
  private static final Path GOLDEN = Path.of("tests/resources/io/harmonica/export");

  private Path folder;

  @BeforeAll
  void export(@TempDir Path shared) {
    folder = shared;
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Model.of(checkpoint, OptionalInt.empty());
      boolean[][] computes = new boolean[4][6];
      java.util.Arrays.fill(computes[0], true);
      java.util.Arrays.fill(computes[2], true);
      computes[1][2] = true; // block 1: attention computes
      computes[3][3] = true; // block 1: the MLP computes, attention forecasts
      Router router =
          Exports.router("mix", model, List.of(750, 500, 250, 0), computes, Reuse.LINEAR);
      for (ExportOptions.Platform platform : ExportOptions.Platform.values()) {
        boolean tensorRt = platform == ExportOptions.Platform.TENSORRT;
        new Exporter(
                model,
                List.of(router),
                new ExportOptions(
                    "dit", tensorRt ? Precision.FP16 : Precision.FP32, platform, 1, 8, false))
            .export(folder.resolve(platform.name()));
      }
    }
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("tests/golden/pixart/alpha-1024-like"));
        Checkpoint vae = Checkpoint.open(Path.of("tests/golden/vae"))) {
      Choices choices = Choices.NONE.withPixelsPerElement(2).withTextTokens(9);
      Model model = Model.of(checkpoint, choices);
      for (ExportOptions.Platform platform : ExportOptions.Platform.values()) {
        ExportOptions options =
            new ExportOptions("pixart", Precision.FP32, platform, 1, 8, /* force= */ true);
        new Exporter(model, List.of(Exports.everyOther("r", model)), options)
            .withDecoder(Autoencoder.of(vae))
            .export(folder.resolve(platform.name()));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "ONNXRUNTIME, dit, base", // one uncached step
    "ONNXRUNTIME, dit-mix-route03, routed", // forecasts, and one branch computed
    "ONNXRUNTIME, dit-block01-2c, engine",
    "TENSORRT, dit-block01-2c, tensorrt-engine",
  })
  void config_isTheGoldenFile(String platform, String model, String golden) throws IOException {
    Path written = folder.resolve(platform).resolve(model);
    Path expected = GOLDEN.resolve(golden + ".pbtxt");
    assertThat(written.resolve("config.pbtxt")).hasSameTextualContentAs(expected);
    ModelConfig parsed = ConfigFile.read(written);
    assertThat(ConfigFile.print(parsed)).isEqualTo(Files.readString(expected));
  }

  @Test
  void base_carriesTheManifest() {
    ModelConfig base = ConfigFile.read(folder.resolve("ONNXRUNTIME/dit"));
    Manifest manifest = Manifest.of(base);
    assertThat(manifest.architecture()).isEqualTo("DiT-3x32/2");
    Router mix = Router.parse(manifest.routers().get("mix").toString(), "manifest");
    assertThat(mix.timesteps()).isEqualTo(Timesteps.of(List.of(750, 500, 250, 0)));
    assertThat(mix.reuse()).isEqualTo(Reuse.LINEAR);
  }

  /** What Triton checks on loading, so that a fault shows here and not on a server. */
  @ParameterizedTest
  @CsvSource({
    "dit",
    "dit-mix-route00",
    "dit-mix-route01",
    "dit-mix-route02",
    "dit-mix-route03",
    "pixart",
    "pixart-r-route00",
    "pixart-r-route01"
  })
  void ensemble_isWiredThrough(String name) {
    Path repository = folder.resolve("ONNXRUNTIME");
    ModelConfig ensemble = ConfigFile.read(repository.resolve(name));
    Set<String> known = new HashSet<>();
    ensemble.getInputList().forEach(input -> known.add(input.getName()));
    Set<String> read = new HashSet<>();
    for (Step step : ensemble.getEnsembleScheduling().getStepList()) {
      ModelConfig engine = ConfigFile.read(repository.resolve(step.getModelName()));
      assertThat(step.getInputMapMap().keySet()) // an engine gets all its inputs
          .containsExactlyInAnyOrderElementsOf(
              engine.getInputList().stream().map(ModelInput::getName).toList());
      assertThat(known).containsAll(step.getInputMapMap().values());
      read.addAll(step.getInputMapMap().values());
      assertThat(known).doesNotContainAnyElementsOf(step.getOutputMapMap().values());
      known.addAll(step.getOutputMapMap().values());
    }
    Set<String> outputs = new HashSet<>();
    ensemble.getOutputList().forEach(output -> outputs.add(output.getName()));
    for (Step step : ensemble.getEnsembleScheduling().getStepList()) {
      for (String made : step.getOutputMapMap().values()) { // Triton refuses others
        assertThat(read.contains(made) || outputs.contains(made)).as(made).isTrue();
      }
    }
    for (var output : ensemble.getOutputList()) {
      assertThat(known).contains(output.getName());
      assertThat(read).as("an output must be a leaf").doesNotContain(output.getName());
    }
    for (ModelInput input : ensemble.getInputList()) {
      assertThat(read).contains(input.getName());
    }
  }

  @Test
  void fp16_typesCachesAndHiddenState_notSamples() {
    ModelConfig routed = ConfigFile.read(folder.resolve("TENSORRT/dit-mix-route03"));
    for (ModelInput input : routed.getInputList()) {
      DataType expected =
          switch (input.getName()) {
            case "sample", "reuse_weights" -> DataType.TYPE_FP32;
            case "timestep", "class_label" -> DataType.TYPE_INT64;
            default -> DataType.TYPE_FP16;
          };
      assertThat(input.getDataType()).as(input.getName()).isEqualTo(expected);
    }
    assertThat(routed.getInputList())
        .extracting(ModelInput::getName)
        .contains("block00.attention.1", "block00.attention.2", "block02.mlp.2");
    assertThat(routed.getOutput(0).getDataType()).isEqualTo(DataType.TYPE_FP32);
    ModelConfig first = ConfigFile.read(folder.resolve("TENSORRT/dit-mix-route00"));
    assertThat(first.getOutputList())
        .filteredOn(output -> output.getName().startsWith("block"))
        .isNotEmpty()
        .allMatch(output -> output.getDataType() == DataType.TYPE_FP16);
  }

  @Test
  void tensorRt_statesProfilesOfEveryInput() {
    Path repository = folder.resolve("TENSORRT");
    assertThat(trtexec(repository, "dit-embed"))
        .isEqualTo(
            "--minShapes=sample:1x4x8x8 --optShapes=sample:2x4x8x8 --maxShapes=sample:8x4x8x8");
    assertThat(trtexec(repository, "dit-condition"))
        .isEqualTo(
            "--minShapes=timestep:1x1,class_label:1x1"
                + " --optShapes=timestep:2x1,class_label:2x1"
                + " --maxShapes=timestep:8x1,class_label:8x1");
    assertThat(ConfigFile.read(repository.resolve("dit")).containsParameters("trtexec")).isFalse();
    assertThat(trtexec(repository, "pixart-condition"))
        .contains("resolution:2x2,aspect_ratio:2x1,text_embedding:2x9x18,text_mask:2x9 --max");
    assertThat(trtexec(repository, "pixart-decoder")) // 128 x 128 latents: in tiles
        .isEqualTo(
            "--minShapes=latents:1x4x1x1 --optShapes=latents:1x4x64x64 --maxShapes=latents:1x4x64x64");
    assertThat(ConfigFile.read(repository.resolve("pixart-decoder")).getMaxBatchSize())
        .isEqualTo(1);
    for (String name : List.of("dit-block00-cc", "dit-block01-2c", "dit-head")) {
      ModelConfig config = ConfigFile.read(repository.resolve(name));
      assertThat(config.getBackend()).isEqualTo("tensorrt");
      assertThat(config.getDefaultModelFilename()).isEqualTo("model.plan");
      for (ModelInput input : config.getInputList()) {
        assertThat(trtexec(repository, name).split(input.getName() + ":", -1))
            .as("%s of %s", input.getName(), name)
            .hasSize(4);
      }
    }
  }

  private static String trtexec(Path repository, String model) {
    return ConfigFile.read(repository.resolve(model))
        .getParametersOrThrow("trtexec")
        .getStringValue();
  }
}
