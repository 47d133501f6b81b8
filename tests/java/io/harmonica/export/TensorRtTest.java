package io.harmonica.export;

import static io.harmonica.Golden.path;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.Sd3Folder;
import io.harmonica.UVitVectors;
import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Ranges;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.model.Resolution;
import io.harmonica.model.Site;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every kind of engine through TensorRT's importer and compiler, ahead of time and without a GPU:
 * {@code tests/tensorrt/check.sh}, which says what that proves and what not.
 *
 * <p>By default, for the two minutes that it may take, each model in fp32 or fp16 at one number of
 * blocks an engine, the first model in every precision; {@code tests/tensorrt/run.sh} has all.
 */
@Tag("golden")
class TensorRtTest {
  private static final boolean ALL = "all".equals(System.getProperty("tensorrt"));
  private static final int NO_PACKAGE = 77;
  private static final List<EngineSize> SIZES =
      List.of(EngineSize.ofBlocks(1), EngineSize.ofBlocks(2), EngineSize.STEP, EngineSize.BRANCH);

  @TempDir Path folder;

  /** A way to write engines. */
  private record Cut(Precision precision, EngineSize size) {
    ExportOptions options(ExportOptions.Platform platform) {
      return options(platform, Optional.empty());
    }

    ExportOptions options(ExportOptions.Platform platform, Optional<Observed> ranges) {
      return new ExportOptions(
          "model",
          new ExportOptions.Numerics(precision, precision.maps().areInt8(), ranges),
          platform,
          size,
          new ExportOptions.Requests(4, 2, true),
          new ExportOptions.Writing(false, false));
    }

    String name() {
      return (precision + "-" + size).toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9]+", "-");
    }
  }

  /** Writes a repository. */
  private interface Export {
    void write(ExportOptions options, Path to);
  }

  /** Something of the golden vectors that has engines. A new model is a row of {@link #rows}. */
  private record Row(String name, Export export) {
    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Row> rows() {
    int heads = Golden.json("dit-facebook/arch.json").at("/config/heads").intValue();
    Choices small = Choices.NONE.withTextTokens(9);
    Stream<Row> uvits =
        UVitVectors.all().stream()
            .map(uvit -> denoiser(uvit.folder() + "/model.pth", uvit.choices()));
    Stream<Row> others =
        Stream.of(
            denoiser("dit", Choices.NONE),
            denoiser("dit-facebook/model.pt", Choices.NONE.withHeads(OptionalInt.of(heads))),
            denoiser("pixart/alpha-256-like", small),
            denoiser("pixart/alpha-1024-like", small.withPixelsPerElement(2)),
            denoiser("pixart/sigma-like", small),
            denoiser("sd3/sd3", small.withResolution(new Resolution(48, 80))),
            denoiser("sd3/sd35-medium", small.withResolution(new Resolution(80, 48))),
            denoiser("flux/dev", small.withResolution(new Resolution(48, 80))),
            denoiser("flux/schnell", small.withResolution(new Resolution(80, 48))),
            new Row("vae", TensorRtTest::decoder),
            new Row("clip", TensorRtTest::clips),
            new Row("t5", TensorRtTest::textEncoder));
    return Stream.concat(uvits, others);
  }

  /** A model with variants of all kinds: computed, reused, forecast from two and three outputs. */
  private static Row denoiser(String golden, Choices choices) {
    return new Row(
        golden,
        (options, to) -> {
          try (Checkpoint checkpoint = Checkpoint.open(path(golden))) {
            Model model = Model.of(checkpoint, choices);
            Router router = Exports.staggered("r", model, 8, 3, Reuse.QUADRATIC);
            new Exporter(model, List.of(router), options).export(to);
          }
        });
  }

  private static void decoder(ExportOptions options, Path to) {
    try (Checkpoint checkpoint = Checkpoint.open(path("pixart/alpha-256-like"));
        Checkpoint vae = Checkpoint.open(path("vae"))) {
      new Exporter(Model.of(checkpoint, Choices.NONE), List.of(), options)
          .withDecoder(Autoencoder.of(vae))
          .export(to);
    }
  }

  /** In as many parts as can be, or in one where the whole step is one engine. */
  private static void textEncoder(ExportOptions options, Path to) {
    try (Checkpoint source = Checkpoint.open(path("t5"))) {
      TextCheckpoint text = TextCheckpoint.of(source);
      Path fitting = Checkpoints.pixArt(to.resolveSibling("pixart"), text.encoder().width());
      try (Checkpoint pixArt = Checkpoint.open(fitting)) {
        long most = options.engines().equals(EngineSize.STEP) ? TextEngines.MOST_BYTES : 1;
        new Exporter(Model.of(pixArt, Choices.NONE.withTextTokens(48)), List.of(), options)
            .withText(text, "a tokenizer", most)
            .export(to);
      }
    }
  }

  /** The two of Stable Diffusion 3, of which it takes the states before the last and the vector. */
  private static void clips(ExportOptions options, Path to) {
    Path pipeline = to.resolveSibling("sd3");
    try (Checkpoint transformer =
            Checkpoint.open(Sd3Folder.write(pipeline).resolve("transformer"));
        Checkpoint first = Checkpoint.open(pipeline.resolve("text_encoder"));
        Checkpoint second = Checkpoint.open(pipeline.resolve("text_encoder_2"))) {
      List<Optional<Exporter.Text>> texts =
          Stream.of(first, second)
              .map(clip -> Optional.of(new Exporter.Text(TextCheckpoint.of(clip), "a tokenizer")))
              .toList();
      new Exporter(Model.of(transformer, Choices.NONE.withTextTokens(26)), List.of(), options)
          .withTexts(texts)
          .export(to);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<Cut> cuts(Row row) {
    int number = rows().map(Row::name).toList().indexOf(row.name());
    List<Cut> cuts = new ArrayList<>();
    for (Precision precision : Precision.values()) {
      if (precision.maps().needRanges()) {
        continue; // needs ranges: below
      }
      for (int i = 0; i < SIZES.size(); i++) {
        boolean chosen =
            i == (number / 2 + precision.ordinal()) % SIZES.size()
                && (number == 0
                    || precision == (number % 2 == 0 ? Precision.FP32 : Precision.FP16));
        if (ALL || chosen) {
          cuts.add(new Cut(precision, SIZES.get(i)));
        }
      }
    }
    return cuts;
  }

  private record Answer(int code, String said) {}

  private Answer check() throws Exception {
    Process checker =
        new ProcessBuilder("tests/tensorrt/check.sh", folder.toString())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String said = new String(checker.getInputStream().readAllBytes(), UTF_8);
    int code = checker.waitFor();
    assumeTrue(code != NO_PACKAGE, "no TensorRT-RTX for this machine");
    return new Answer(code, said);
  }

  @ParameterizedTest
  @MethodSource("rows")
  void everyEngine_compiles_withTheProfileOfItsConfiguration(Row row) throws Exception {
    for (Cut cut : cuts(row)) {
      Path to = Files.createDirectory(folder.resolve(cut.name())).resolve("models");
      row.export().write(cut.options(ExportOptions.Platform.TENSORRT), to);
    }
    assertCompiles();
  }

  /**
   * With caches in 8 bits where all is in int8, around fp32 and fp16, of a model with modulation
   * and text; the rest by {@code all}.
   */
  @Test
  void int8AndBf16_compile() throws Exception {
    for (Precision precision : List.of(Precision.INT8, Precision.INT8_FP16, Precision.BF16)) {
      Cut cut = new Cut(precision, EngineSize.STEP);
      Path to = Files.createDirectory(folder.resolve(cut.name())).resolve("models");
      Row row = denoiser("pixart/alpha-256-like", Choices.NONE.withTextTokens(9));
      row.export().write(cut.options(ExportOptions.Platform.TENSORRT), to);
    }
    assertCompiles();
  }

  /** What has to be observed before: scales of activations in 8 bits, moments for 4. */
  @Test
  void precisionsWithRanges_compile() throws Exception {
    for (Precision precision : Precision.values()) {
      if (precision.maps().needRanges()) {
        observed("dit", Choices.NONE, new Cut(precision, EngineSize.ofBlocks(1)));
      }
    }
    assertCompiles();
  }

  /** Of a model with text, whose queries read the stream as it is. */
  @Test
  void fewBits_ofAModelWithText_compile() throws Exception {
    for (Precision precision : List.of(Precision.INT4_BF16, Precision.FP8_FP16)) {
      observed(
          "pixart/alpha-256-like",
          Choices.NONE.withTextTokens(9),
          new Cut(precision, EngineSize.STEP));
    }
    assertCompiles();
  }

  private void observed(String golden, Choices choices, Cut cut) throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(path(golden))) {
      Model model = Model.of(checkpoint, choices);
      String digest = Digest.of(checkpoint);
      Map<Site, float[]> ones = new HashMap<>();
      Map<Site, float[]> moments = new HashMap<>();
      for (Site site : Site.of(model.denoiser())) {
        ones.put(site, new float[site.in()]);
        Arrays.fill(ones.get(site), 1);
        moments.put(site, new float[site.in() * site.in()]);
        for (int i = 0; i < site.in(); i++) {
          moments.get(site)[i * site.in() + i] = 1;
        }
      }
      Path to = Files.createDirectory(folder.resolve(cut.name())).resolve("models");
      Path file = to.resolveSibling("ranges.safetensors");
      Ranges.write(file, new Ranges.Notes(digest, 1, 1, Map.of()), ones, moments);
      Router router = Exports.staggered("r", model, 8, 3, Reuse.QUADRATIC);
      try (Ranges ranges = Ranges.open(file)) {
        new Exporter(
                model,
                List.of(router),
                cut.options(ExportOptions.Platform.TENSORRT, Optional.of(ranges)))
            .withDigest(digest)
            .export(to);
      }
    }
  }

  /** The same graphs, by what Triton's onnxruntime backend is told of their shapes. */
  @Test
  void everyEngine_compiles_withTheProfileOfItsAccelerator() throws Exception {
    Row row = denoiser("dit", Choices.NONE);
    Cut cut = new Cut(Precision.FP16, EngineSize.ofBlocks(1));
    row.export().write(cut.options(ExportOptions.Platform.ONNXRUNTIME_TENSORRT), folder);
    assertCompiles();
  }

  /** That the check would tell: by a graph that is not the configuration's. */
  @Test
  void engine_thatIsNotItsConfigurations_isTold() throws Exception {
    Path to = folder.resolve("models");
    Cut cut = new Cut(Precision.FP32, EngineSize.ofBlocks(1));
    denoiser("dit", Choices.NONE).export().write(cut.options(ExportOptions.Platform.TENSORRT), to);
    Files.copy(
        to.resolve("model-embed/1/model.onnx"),
        to.resolve("model-head/1/model.onnx"),
        StandardCopyOption.REPLACE_EXISTING);
    Files.writeString(to.resolve("model-condition/1/model.onnx"), "no graph");
    Answer answer = check();
    assertThat(answer.said())
        .contains("models/model-head: its configuration states ports ")
        .contains("models/model-condition: ")
        .endsWith(" kinds, 2 faults\n");
    assertThat(answer.code()).isEqualTo(1);
  }

  private void assertCompiles() throws Exception {
    Answer answer = check();
    assertThat(answer.said()).matches("[1-9]\\d* engines of [1-9]\\d* kinds, 0 faults\n");
    assertThat(answer.code()).isZero();
  }
}
