package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Role;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BranchEnginesTest {
  private static final ExportOptions OPTIONS =
      ExportOptions.of("dit").withEngines(EngineSize.BRANCH).withForce(true);

  @TempDir Path folder;

  private static List<Router> routers(Model model) {
    return List.of(
        Exports.staggered("last", model, 8, 3, Reuse.LAST),
        Exports.staggered("quadratic", model, 8, 2, Reuse.QUADRATIC));
  }

  /** Bytes of the engines' weights, which are in memory as often as in files. */
  private long weights(EngineSize size, boolean routed) throws IOException {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES)) {
      Model model = Exports.model(checkpoint);
      List<Router> routers = routed ? routers(model) : List.of();
      new Exporter(model, routers, OPTIONS.withEngines(size)).export(repository);
    }
    try (Stream<Path> files = Files.walk(repository)) {
      return files
          .filter(file -> file.endsWith("model.onnx.data"))
          .mapToLong(file -> file.toFile().length())
          .sum();
    }
  }

  @Test
  void weights_areThereOnce_whateverRouters() throws IOException {
    long uncached = weights(EngineSize.ofBlocks(1), false);
    assertThat(weights(EngineSize.BRANCH, true)).isLessThan((long) (1.01 * uncached)); // pages
    assertThat(weights(EngineSize.ofBlocks(1), true)).isGreaterThan((long) (1.5 * uncached));
  }

  /** What a later router needs is there: so only ensembles come to it. */
  @Test
  void routers_bringNoEngines() throws IOException {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      new Exporter(model, List.of(), OPTIONS).export(folder.resolve("none"));
      List<Exporter.Entry> entries =
          new Exporter(model, routers(model), OPTIONS).export(folder.resolve("routed"));
      assertThat(entries).allMatch(entry -> entry.repeatedBytes() == 0);
    }
    List<String> uncached = List.of("dit", "dit-conditioned");
    for (Path model : Occupants.folders(folder.resolve("routed"))) {
      boolean isThere = Files.exists(folder.resolve("none").resolve(model.getFileName()));
      boolean isCall = Role.of(ConfigFile.read(model)).orElseThrow().isCall();
      assertThat(isThere)
          .as(model.toString())
          .isEqualTo(!isCall || uncached.contains(String.valueOf(model.getFileName())));
    }
    Role branch = Role.of(ConfigFile.read(folder.resolve("none/dit-block01.mlp"))).orElseThrow();
    assertThat(branch).isEqualTo(Role.branch("01.mlp", "mlp"));
    Role reuse = Role.of(ConfigFile.read(folder.resolve("none/dit-reuse-mlp-2"))).orElseThrow();
    assertThat(reuse).isEqualTo(branch.reuse(2));
  }

  /** Rounded at other places than in engines of blocks: to fp16, between the branches. */
  @Test
  void inFp16_branchesAreNearBlocks() {
    float[][] drawn = new float[2][];
    for (int i = 0; i < 2; i++) {
      try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES)) {
        Model model = Exports.model(checkpoint);
        EngineSize size = i == 0 ? EngineSize.ofBlocks(1) : EngineSize.BRANCH;
        ExportOptions options = OPTIONS.withEngines(size).withPrecision(Precision.FP16);
        new Exporter(model, routers(model), options).export(folder.resolve("r"));
      }
      try (Pipeline pipeline = Pipeline.open(folder.resolve("r"), "dit")) {
        Request request = Request.of(List.of(1)).withRouter("quadratic").withSeed(2);
        drawn[i] = pipeline.generate(request).latents().values();
      }
    }
    Golden.assertClose("latents", drawn[1], drawn[0], 2e-2);
  }
}
