package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.UVitVectors.BRANCH;
import static io.harmonica.UVitVectors.OUTPUT;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Inference;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.runtime.EmbeddedRuntime;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One pass of every flavour of U-ViT through exported engines against its own code. */
@Tag("golden")
class UVitGoldenTest {
  private static final List<EngineSize> SIZES =
      List.of(EngineSize.ofBlocks(1), EngineSize.ofBlocks(2), EngineSize.STEP, EngineSize.BRANCH);

  @TempDir Path folder;

  private record Case(UVitVectors vectors, EngineSize engines) {}

  static Stream<Case> cases() {
    return UVitVectors.all().stream()
        .flatMap(vectors -> SIZES.stream().map(size -> new Case(vectors, size)));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void everyFlavour_enginesOfAnySize(Case golden) {
    try (Checkpoint io = golden.vectors().io();
        Checkpoint source = Checkpoint.open(golden.vectors().checkpoint())) {
      Model model = Model.of(source, golden.vectors().choices());
      export(model, golden.engines());
      Map<String, float[]> outputs =
          infer("uvit-r-route00", UVitVectors.rows(io), UVitVectors.inputs(io));
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), OUTPUT);
      for (Branch branch : model.denoiser().branches()) {
        String theirs =
            "block%d.%s".formatted(branch.block(), branch.kind().replace("attention", "attn"));
        assertClose(theirs, outputs.get(branch.name()), floats(io, theirs), BRANCH);
      }
      assertThat(model.denoiser().branches()).hasSize(2 * (golden.vectors().depth() + 1));
    }
  }

  /** With every branch output given, what is left is skips, their linear maps, and sums. */
  @ParameterizedTest
  @MethodSource("cases")
  void reusedBranches_joinAsTheComputedOnes(Case golden) {
    try (Checkpoint io = golden.vectors().io();
        Checkpoint source = Checkpoint.open(golden.vectors().checkpoint())) {
      Model model = Model.of(source, golden.vectors().choices());
      export(model, golden.engines());
      Map<String, Object> inputs = new HashMap<>(UVitVectors.inputs(io));
      for (Branch branch : model.denoiser().branches()) {
        String theirs =
            "block%d.%s".formatted(branch.block(), branch.kind().replace("attention", "attn"));
        inputs.put(Names.history(branch.name(), 1), floats(io, theirs));
      }
      Map<String, float[]> outputs = infer("uvit-r-route01", UVitVectors.rows(io), inputs);
      assertClose("output", outputs.get(Names.NOISE_PREDICTION), floats(io, "output"), OUTPUT);
    }
  }

  /** The joined skips, which no output of an ensemble shows. */
  @ParameterizedTest
  @MethodSource("flavours")
  void skips_areThoseOfTheMirroredBlocks(UVitVectors golden) {
    try (Checkpoint io = golden.io();
        Checkpoint source = Checkpoint.open(golden.checkpoint())) {
      Model model = Model.of(source, golden.choices());
      export(model, EngineSize.ofBlocks(1));
      int depth = golden.depth();
      try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder)) {
        for (int block = 0; block <= depth; block++) {
          Map<String, Object> inputs = new HashMap<>();
          String before = block == 0 ? "tokens" : "block%d.hidden".formatted(block - 1);
          inputs.put("hidden", floats(io, before));
          if (block > depth / 2) {
            String skip = "skip%02d".formatted(depth - block);
            inputs.put(skip, floats(io, "block%d.hidden".formatted(depth - block)));
          }
          String engine = "uvit-block%02d-cc".formatted(block);
          Map<String, float[]> made = Inference.run(runtime, engine, UVitVectors.rows(io), inputs);
          float[] hidden = floats(io, "block%d.hidden".formatted(block));
          assertClose(engine, made.get("next_hidden"), hidden, BRANCH);
          if (block < depth / 2) {
            assertClose(engine, made.get("next_skip%02d".formatted(block)), hidden, BRANCH);
          }
        }
      }
    }
  }

  static List<UVitVectors> flavours() {
    return UVitVectors.all();
  }

  private void export(Model model, EngineSize engines) {
    new Exporter(
            model,
            List.of(Exports.everyOther("r", model)),
            ExportOptions.of("uvit").withEngines(engines))
        .export(folder);
  }

  private Map<String, float[]> infer(String ensemble, int rows, Map<String, Object> inputs) {
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder)) {
      return Inference.run(runtime, ensemble, rows, inputs);
    }
  }
}
