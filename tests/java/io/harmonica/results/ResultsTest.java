package io.harmonica.results;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.features.FeatureNetwork;
import io.harmonica.features.FeatureStatistics;
import io.harmonica.features.Frechet;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.sampler.Spacing;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The results tool with tiny numbers: 40 pictures, 4 steps. */
class ResultsTest {
  private static final Path NETWORK = Path.of("export/shapes-features/model.onnx");
  private static final Path REFERENCE = Path.of("export/shapes-features/reference.json");

  @TempDir Path folder;

  private String run(String... more) throws IOException, InterruptedException {
    List<String> arguments =
        new java.util.ArrayList<>(List.of("--speedups", "1.5", "--count", "40", "--batch", "20"));
    if (!List.of(more).contains("scenes")) {
      arguments.addAll(List.of("--trajectories", "ddim4"));
    }
    for (String place : List.of("routers", "store", "page", "work")) {
      arguments.add("--" + place);
      arguments.add(folder.resolve(place).toString());
    }
    arguments.addAll(List.of(more));
    var out = new ByteArrayOutputStream();
    Results.run(
        arguments.toArray(String[]::new), new PrintStream(out, true, StandardCharsets.UTF_8));
    return out.toString(StandardCharsets.UTF_8);
  }

  /** Stands for a trained one: linear forecasts at steps 1 and 3. */
  private void writeTrained(String name, int steps) {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.SHAPES)) {
      Model model = Model.of(checkpoint, OptionalInt.empty());
      Router router =
          new Taylor(2, 1)
              .router(
                  "other-name",
                  model.denoiser().architecture(),
                  "ddim",
                  Timesteps.of(Spacing.LEADING.timesteps(steps, 1000)),
                  Cell.branches(model));
      router.write(folder.resolve("routers").resolve(name));
    }
  }

  private List<String> rows() throws IOException {
    return Files.readAllLines(folder.resolve("page")).stream()
        .filter(line -> line.startsWith("| 1"))
        .toList();
  }

  @Test
  void run_measuresAllThereIs_andResumes() throws IOException, InterruptedException {
    writeTrained("ddim4-1.5-sdt-linear.json", 4);
    String first = run();
    assertThat(first)
        .contains("trained routers missing: 15")
        .contains(
            "  bin/harmonica train --checkpoint export/shapes-dit --steps 4 --sampler ddim"
                + " --guidance 1.0 --no-iepo --reuse last --init random --learning-rate 0.05"
                + " --iterations 100 --target-speedup 1.328"
                + " --out"
                + " " // what FORA's three full steps cost
                + folder.resolve("routers/ddim4-1.5-sdt-no-iepo.json"))
        .contains(" --init " + folder.resolve("routers/ddim4-1.5-ltc.json") + " --iterations 0");
    assertThat(rows())
        .extracting(row -> row.split(" *\\| *")[2])
        .containsExactly(
            "uncached",
            "SDT+IEPO, linear forecast",
            "Taylor, second order",
            "Taylor, first order",
            "FORA",
            "Δ-DiT",
            "random",
            "3 steps");
    assertThat(rows().get(0)).contains("| 1.00 | 0.0 % | same | same |");
    assertThat(rows().get(7)).contains("| 1.33 | 0.0 % |");
    assertThat(Files.readString(folder.resolve("page")))
        .contains(
            "Not measured: Taylor's table, exchanged, learned weights at 1.5; whole steps as runs,"
                + " exchanged, three learned weights at 1.5; Taylor's");

    // Again: nothing is measured, and what a person wrote stays.
    String store = Files.readString(folder.resolve("store"));
    String page = Files.readString(folder.resolve("page"));
    String written = page.replace(Page.BEGIN + "\n", Page.BEGIN + "\nIt won.\n");
    Files.writeString(folder.resolve("page"), written);
    assertThat(run()).doesNotContain("ddim4-1.5-fora\n");
    assertThat(Files.readString(folder.resolve("store"))).isEqualTo(store);
    assertThat(Files.readString(folder.resolve("page"))).isEqualTo(written);

    // A router more is one cell more.
    writeTrained("ddim4-1.5-ltc.json", 4);
    Router last = Router.read(folder.resolve("routers/ddim4-1.5-ltc.json"));
    assertThat(last.name()).isEqualTo("other-name");
    run();
    assertThat(rows()).hasSize(9);
    // It is equal to the one before, so its numbers are known.
    assertThat(Files.readString(folder.resolve("store"))).isEqualTo(store);
  }

  @Test
  void run_refusesARouterOfOtherSteps() {
    writeTrained("ddim4-1.5-sdt-last.json", 8);
    assertThatThrownBy(this::run)
        .isInstanceOf(HarmonicaException.class)
        .hasMessageEndingWith(
            "ddim4-1.5-sdt-last.json is for 8 steps, expected 4 by its name: train it again");
  }

  @Test
  void run_refusesWhatItDoesNotKnow() {
    assertThatThrownBy(() -> run("--nonsense", "8")).hasMessageContaining("--speedups");
    assertThatThrownBy(() -> run("--trajectories", "ddim8"))
        .hasMessage("--trajectories is given twice");
    assertThatThrownBy(() -> Settings.of(Settings.parse("--methods", "fora,tailor")))
        .hasMessageStartingWith("--methods: 'tailor' is none of taylor-exchange, model-exchange, ");
    assertThatThrownBy(() -> Settings.of(Settings.parse("--count", "55")))
        .hasMessage("--count 55 must be a multiple of 10, at least 40, at most 2147483647");
  }

  @Test
  void run_scenes_areJudgedByTheirCaptions() throws IOException, InterruptedException {
    String said =
        run(
            "--subject",
            "scenes",
            "--trajectories",
            "dpm-solver++6",
            "--methods",
            "fora,fewer-steps",
            "--seed",
            "3");
    assertThat(said).containsPattern("2 cells of 40 pictures each, about \\d+ minutes");
    assertThat(rows()).hasSize(3);
    assertThat(Files.readString(folder.resolve("page")))
        .startsWith("# Results on text to image")
        .contains("guidance 3.0", "caption accuracy", "## 6 DPM-Solver++ steps");
    // A picture of noise shows no caption; what a trained model draws shows some.
    double accuracy = Double.parseDouble(rows().get(0).split(" *\\| *")[7].split(" ")[0]);
    assertThat(accuracy).isBetween(20.0, 100.0);
  }

  @Test
  void training_exchangesByCaptions_seeMorePictures() {
    assertThat(Subject.SCENES.training(Method.TAYLOR_EXCHANGE)).endsWith(" --batch 16");
    assertThat(Subject.SHAPES.training(Method.TAYLOR_EXCHANGE)).doesNotContain("batch");
    assertThat(Subject.SCENES.training(Method.LTC)).doesNotContain("batch");
  }

  @Test
  void run_formsOfTheModel_areComparedToFp32() throws IOException, InterruptedException {
    run("--forms", "fp32,int8", "--methods", "fora");
    assertThat(Files.readString(folder.resolve("page")))
        .contains("## 4 DDIM steps\n", "## 4 DDIM steps, in int8\n");
    List<String> rows = rows();
    assertThat(rows).hasSize(4); // uncached and FORA, of either
    assertThat(rows.get(0)).contains("| same | same |");
    assertThat(decibels(rows.get(2))).isBetween(30.0, 60.0); // 8 bits are near, not the same
    assertThat(decibels(rows.get(3))).isCloseTo(decibels(rows.get(1)), within(1.0));
  }

  private static double decibels(String row) {
    return Double.parseDouble(row.split(" *\\| *")[5].split(" ")[0]);
  }

  @Test
  void run_aPrunedModelWithoutRanges_saysWhatMakesThem() {
    assertThatThrownBy(() -> run("--forms", "pruned-0.84", "--methods", "fora"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "--forms pruned-0.84 needs --ranges FILE: bin/harmonica calibrate --moments mlp makes it");
  }

  @Test
  void network_tellsDrawnShapesApart() {
    try (FeatureNetwork network = FeatureNetwork.open(NETWORK)) {
      double accuracy =
          network.of(DrawnShapes.draw(2000, 32, 7)).accuracy(DrawnShapes.classes(2000)).value();
      // 0.989 of 10,000 by the training; 0.98 is 4 standard errors of 2,000 below
      assertThat(accuracy).isGreaterThan(0.98);
    }
  }

  @Test
  void reference_isOfDrawnShapes() {
    FeatureStatistics shipped = FeatureStatistics.read(REFERENCE);
    assertThat(shipped.count()).isEqualTo(20_000);
    try (FeatureNetwork network = FeatureNetwork.open(NETWORK)) {
      assertThat(network.digest()).isEqualTo(shipped.network());
      Path own = folder.resolve("own.json");
      Results.writeReference(network, own, 2000);
      FeatureStatistics drawn = FeatureStatistics.read(own);
      double spread = 0;
      for (int i = 0; i < shipped.width(); i++) {
        spread += shipped.covariance()[i][i];
      }
      // Of 2,000 pictures the distance is not 0, but small against the spread of the features
      assertThat(Frechet.distance(drawn, shipped) / spread).isCloseTo(0, within(0.02));
    }
  }
}
