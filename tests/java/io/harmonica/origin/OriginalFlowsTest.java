package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The golden models of FLUX.1 and Stable Diffusion 3 in the files of their authors, written as
 * diffusers' {@code convert_flux_to_diffusers.py} and {@code convert_sd3_to_diffusers.py} read
 * them: the same models.
 */
class OriginalFlowsTest {
  private static final Path DEV = Path.of("tests/golden/flux/dev");
  private static final Path SD3 = Path.of("tests/golden/sd3/sd3");

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "flux/dev, ''",
    "flux/schnell, model.diffusion_model.",
    "sd3/sd3, model.diffusion_model.",
    "sd3/sd35-medium, ''",
  })
  void ofOriginal_withItsConfiguration_isDiffusersModel(String golden, String prefix) {
    Path diffusers = Path.of("tests/golden", golden);
    Map<String, Floats> tensors = Checkpoints.prefixed(prefix, OriginalFlows.of(diffusers));
    Path file = Checkpoints.diffusers(folder, Checkpoints.config(diffusers), tensors);
    assertSame(file, Choices.NONE, diffusers);
  }

  /** Shapes say all that Stable Diffusion 3's configuration does, and how many heads are stated. */
  @ParameterizedTest
  @CsvSource({"sd3/sd3, 2", "sd3/sd35-medium, -1"})
  void sd3_withoutConfiguration_isDiffusersModel(String golden, int heads) {
    Path diffusers = Path.of("tests/golden", golden);
    Path file = Checkpoints.facebook(folder, OriginalFlows.of(diffusers));
    Choices choices =
        Choices.NONE
            .withHeads(heads < 0 ? OptionalInt.empty() : OptionalInt.of(heads))
            .withResolution(new Resolution(96, 96));
    assertSame(file, choices, diffusers);
  }

  /** The same definition, and every weight that it reads the same, bit by bit. */
  private static void assertSame(Path file, Choices choices, Path diffusers) {
    try (Checkpoint original = Checkpoint.open(file);
        Checkpoint converted = Checkpoint.open(diffusers)) {
      Model model = Model.of(original, choices);
      Model expected =
          Model.of(
              converted,
              choices.resolution().map(Choices.NONE::withResolution).orElse(Choices.NONE));
      assertThat(model.denoiser()).isEqualTo(expected.denoiser());
      assertThat(model.notes()).isEmpty();
      assertThat(model.weights().note()).isEmpty();
      for (String name : converted.names()) {
        long[] shape = converted.tensor(name).shape().stream().mapToLong(i -> i).toArray();
        assertThat(model.weights().read(name, shape))
            .as(name)
            .containsExactly(converted.tensor(name).floats());
      }
    }
  }

  /** Published sizes, by names and shapes alone. */
  @ParameterizedTest
  @CsvSource({
    "FLUX.1-dev, 512, 1024, 8",
    "FLUX.1-schnell, 256, 1024, 8",
    "SD3-medium, 333, 1024, 2",
    "SD3.5-medium, 333, 1024, 2",
    "SD3.5-large, 333, 1024, 6"
  })
  void publishedShapes_haveTheirNames_andNoEngineBeyond2Gb(
      String name, int textTokens, int pixels, int conditions) throws IOException {
    Map<String, List<Long>> shapes =
        name.startsWith("FLUX")
            ? OriginalFlows.flux(3072, 128, 19, 38, name.endsWith("dev"))
            : switch (name) {
              case "SD3-medium" -> OriginalFlows.sd3(1536, 24, 192, false, 0);
              case "SD3.5-medium" -> OriginalFlows.sd3(1536, 24, 384, true, 13);
              default -> OriginalFlows.sd3(2432, 38, 192, true, 0);
            };
    Path file = Checkpoints.hollow(folder.resolve("flux1.safetensors"), shapes);
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      Denoiser model = Model.of(checkpoint, Choices.NONE).denoiser();
      assertThat(model.architecture()).isEqualTo(name);
      assertThat(model.io().text().orElseThrow().tokens()).isEqualTo(textTokens);
      assertThat(model.io().height() * model.io().samples().pixelsPerElement()).isEqualTo(pixels);
      assertThat(Files.readAllLines(Path.of("docs/SIZES.md"))).contains(size(model, shapes));
      Model small = // engines hold the same weights
          Model.of(checkpoint, Choices.NONE.withResolution(new Resolution(64, 64)));
      assertThat(new Exporter(small, List.of(), ExportOptions.of("model")).dryRun())
          .allMatch(engine -> engine.sizeBytes() <= 2_001_000_000)
          .extracting(Exporter.Entry::name)
          .filteredOn(engine -> engine.matches("model-condition(-\\d+)?"))
          .hasSize(conditions);
    }
  }

  /** Three double blocks of FLUX.1-dev have 2.7 GB in fp32: refused before anything is written. */
  @Test
  void severalBlocksAnEngine_beyond2Gb_areRefused() throws IOException {
    Path file =
        Checkpoints.hollow(
            folder.resolve("flux1.safetensors"), OriginalFlows.flux(3072, 128, 19, 38, true));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      Model model = Model.of(checkpoint, Choices.NONE.withResolution(new Resolution(64, 64)));
      Exporter three = exporter(model, 3, Precision.FP32);
      assertThatThrownBy(three::dryRun)
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "engine block00-02-ccccccccc has 2.72 GB of weights, more than 2.00 GB, which not"
                  + " every backend and file system takes in one file: export it with"
                  + " `blocksPerEngine` 2");
      assertThatThrownBy(() -> three.export(folder.resolve("models")))
          .hasMessageContaining("export it with `blocksPerEngine` 2");
      assertThat(folder.resolve("models")).doesNotExist();
      for (Exporter fitting :
          List.of(exporter(model, 2, Precision.FP32), exporter(model, 4, Precision.FP16))) {
        assertThat(fitting.dryRun()).allMatch(engine -> engine.sizeBytes() <= 2_001_000_000);
      }
    }
  }

  private static Exporter exporter(Model model, int blocks, Precision precision) {
    ExportOptions options =
        ExportOptions.of("model").withBlocksPerEngine(blocks).withPrecision(precision);
    return new Exporter(model, List.of(), options);
  }

  /** As the documents have it: weights, and all outputs of a row at 1024 x 1024 pixels. */
  private static String size(Denoiser model, Map<String, List<Long>> shapes) {
    double parameters =
        shapes.values().stream().mapToLong(s -> s.stream().reduce(1L, (a, b) -> a * b)).sum();
    double outputs = model.branchElements().stream().mapToLong(count -> count).sum();
    return String.format(
        Locale.ROOT,
        "| %s | %.2f | %.1f | %.1f | %.2f | %.2f |",
        model.architecture(),
        parameters / 1e9,
        4 * parameters / 1e9,
        2 * parameters / 1e9,
        4 * outputs / 1e9,
        2 * outputs / 1e9);
  }

  @Test
  void whatLiesBesideTheTransformer_isTold() {
    Map<String, Floats> tensors =
        Checkpoints.prefixed("model.diffusion_model.", OriginalFlows.of(SD3));
    tensors.put("first_stage_model.decoder.conv_in.bias", Floats.of(new float[4], 4));
    tensors.put("text_encoders.clip_l.logit_scale", Floats.of(new float[1], 1));
    Path file = Checkpoints.facebook(folder, tensors);
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThat(Model.of(checkpoint, Choices.NONE.withHeads(OptionalInt.of(2))).notes())
          .containsExactly(
              file
                  + " holds 2 weights beside its transformer, which are left: give an autoencoder by"
                  + " `vae`, text encoders by `textEncoder`");
    }
  }

  @Test
  void whatTheFileDoesNotSay_isAskedFor() {
    refused(
        OriginalFlows.of(DEV),
        "its heads have 12 elements, expected 128 as in all that were published",
        "put diffusers' config.json beside it, with axes_dims_rope");
    refused(OriginalFlows.of(SD3), "3 blocks of width 24 are no published", "add `heads` N");
  }

  @Test
  void otherModelsOfTheseNames_areRefused() {
    Map<String, Floats> fill = OriginalFlows.of(DEV);
    Map<String, Floats> heads = new LinkedHashMap<>(fill);
    heads.replaceAll(
        (name, t) -> name.contains("_norm.scale") ? Floats.of(new float[128], 128) : t);
    heads.put("img_in.weight", Floats.of(new float[24 * 384], 24, 384));
    refused(heads, "takes 384 channels and makes 64", "FLUX.1-dev and schnell");
    ObjectNode config = Checkpoints.config(DEV);
    fill.put("double_blocks.0.img_attn.ip_adapter.weight", Floats.of(new float[1], 1));
    Path path = Checkpoints.diffusers(folder.resolve("more"), config, fill);
    assertThatThrownBy(() -> model(path))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("it is another model");
  }

  private void refused(Map<String, Floats> tensors, String... parts) {
    Path file = Checkpoints.facebook(folder, tensors);
    assertThatThrownBy(() -> model(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(parts);
  }

  private static Model model(Path path) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return Model.of(checkpoint, Choices.NONE);
    }
  }
}
