package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Golden;
import io.harmonica.Timesteps;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import io.harmonica.origin.Choices;
import io.harmonica.router.Fora;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.router.Taylor;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RouterCommandsTest {
  private static final List<String> BRANCHES =
      List.of("block00.attention", "block00.mlp", "block01.attention", "block01.mlp");
  private static final Router FORA =
      new Fora(2).router("fora2", "DiT-2x8/2", "ddim", Timesteps.of(List.of(3, 2, 1, 0)), BRANCHES);
  private static final Router TAYLOR =
      new Taylor(2, 1)
          .router("taylor2", "DiT-2x8/2", "ddim", Timesteps.of(List.of(3, 2, 1, 0)), BRANCHES);

  @TempDir Path folder;

  private Invocation run(String line) {
    String[] args = line.replace("OUT", folder.resolve("out.json").toString()).split(" ");
    return Invocation.withRouters(List.of(FORA, TAYLOR), args);
  }

  private Router out() {
    return Router.read(folder.resolve("out.json"));
  }

  @Test
  void policy_fora_writesTheRouterAndSaysWhatItSaves() {
    Invocation done = run("policy fora --checkpoint c --steps 4 --out OUT");
    assertThat(done.code()).isZero();
    assertThat(done.out())
        .isEqualTo(
            "wrote %s: 4 steps x 4 branches, CUR 0.500, theoretical speedup 1.67x, cache at most 512 bytes a sample, 2 distinct routes\n"
                .formatted(folder.resolve("out.json")));
    assertThat(out().name()).isEqualTo("out");
    assertThat(out().sampler()).isEqualTo("ddim");
    assertThat(out().scores()).isDeepEqualTo(FORA.scores());
    assertThat(out().training().toString()).isEqualTo("{\"policy\":\"fora\",\"interval\":2}");
  }

  @Test
  void policy_options_reachThePolicy() {
    assertThat(
            run("policy taylor --checkpoint c --steps 5 --interval 3 --order 2 --name t --out OUT")
                .code())
        .isZero();
    assertThat(out().reuse()).isEqualTo(Reuse.QUADRATIC);
    assertThat(out().name()).isEqualTo("t");
    assertThat(out().training().get("interval").intValue()).isEqualTo(3);
    assertThat(run("policy random --checkpoint c --steps 5 --cur 0.3 --seed 8 --out OUT").code())
        .isZero();
    assertThat(out().training().toString())
        .isEqualTo("{\"policy\":\"random\",\"cur\":0.3,\"seed\":8}");
    assertThat(run("policy delta-dit --checkpoint c --steps 4 --cur 0.25 --out OUT").out())
        .contains("CUR 0.250");
    assertThat(run("policy delta-dit --checkpoint c --steps 4 --cur 0.7 --out OUT").err())
        .isEqualTo("note: CUR 0.500 is the nearest to 0.7 that can be reached\n");
    assertThat(run("policy none --checkpoint c --steps 4 --out OUT").out())
        .contains("CUR 0.000, theoretical speedup 1.00x");
  }

  /** 512 bytes are those of all branches, of one each; a run takes one's. */
  @Test
  void policy_grain_reusesRuns() {
    Invocation done = run("policy fora --checkpoint c --steps 4 --grain model --out OUT");
    assertThat(done.out())
        .contains("CUR 0.500, theoretical speedup 1.67x, cache at most 128 bytes");
    assertThat(out().runs()).containsExactly(new Run(0, 3));
    assertThat(out().training().get("grain").textValue()).isEqualTo("model");
    assertThat(run("inspect --router OUT").out()).contains("── ──", "reused as one");
    assertThat(
            run("policy delta-dit --checkpoint c --steps 6 --interval 3 --boundary 3 --out OUT")
                .code())
        .isZero();
    assertThat(out().isUnderRun(1, 3)).isTrue();
    assertThat(out().isUnderRun(4, 0)).isTrue();
    assertThat(out().training().get("boundary").intValue()).isEqualTo(3);
  }

  @Test
  void importRouter_ofASchedule_isARouter() throws Exception {
    Path schedule = folder.resolve("schedule.json");
    Files.writeString(schedule, "{\"attn\": [1, 0, 1], \"mlp\": [1, 1, 0]}");
    Invocation done =
        run("import-router --format smoothcache %s --checkpoint c --out OUT".formatted(schedule));
    assertThat(done.code()).as(done.err()).isZero();
    assertThat(out().steps()).isEqualTo(3);
    assertThat(out().computes(1, 0)).isFalse();
    assertThat(out().computes(1, 1)).isTrue();
    assertThat(out().training().get("imported").textValue()).isEqualTo("smoothcache");
    Files.writeString(
        schedule,
        "{\"steps_computation_mask\": [1, 0], \"steps_computation_policy\": \"static\","
            + " \"Fn_compute_blocks\": 1}");
    assertThat(
            run("import-router --format cache-dit %s --checkpoint c --out OUT".formatted(schedule))
                .code())
        .isZero();
    assertThat(out().runs()).containsExactly(new Run(2, 3));
    assertThat(out().isUnderRun(1, 2)).isTrue();
  }

  @Test
  void policy_targetSpeedup_isMetOrTheNearestNoted() {
    // 10 FLOPs fixed and 40 of branches a step: 4 full steps of 5 make 250 / 210
    Invocation fora = run("policy fora --checkpoint c --steps 5 --target-speedup 1.2 --out OUT");
    assertThat(fora.out()).contains("CUR 0.200, theoretical speedup 1.19x");
    assertThat(fora.err()).isEmpty();
    assertThat(out().training().toString()).isEqualTo("{\"policy\":\"fora\",\"interval\":1.25}");
    Invocation taylor =
        run("policy taylor --checkpoint c --steps 5 --order 2 --target-speedup 1.3 --out OUT");
    assertThat(taylor.err())
        .isEqualTo("note: theoretical speedup 1.190 is the nearest to 1.3 that can be reached\n");
    assertThat(out().reuse()).isEqualTo(Reuse.QUADRATIC);
    assertThat(run("policy random --checkpoint c --steps 5 --target-speedup 1.25 --out OUT").out())
        .contains("CUR 0.250, theoretical speedup 1.25x");
    assertThat(
            run("policy delta-dit --checkpoint c --steps 8 --target-speedup 1.25 --out OUT").out())
        .contains("theoretical speedup 1.25x");
  }

  @Test
  void policy_targetSpeedup_excludesWhatItReplaces() {
    assertThat(
            run("policy fora --checkpoint c --steps 5 --target-speedup 2 --interval 2 --out OUT"))
        .satisfies(
            refused -> {
              assertThat(refused.code()).isEqualTo(2);
              assertThat(refused.err())
                  .startsWith("error: --target-speedup and --interval exclude each other");
            });
    assertThat(run("policy none --checkpoint c --steps 5 --target-speedup 2 --out OUT").err())
        .startsWith("error: --target-speedup has no effect on policy none");
    assertThat(run("policy fora --checkpoint c --steps 5 --target-speedup 0.5 --out OUT").err())
        .startsWith("error: --target-speedup is '0.5', expected a number in 1.0..1000.0");
  }

  @Test
  void policy_forAnotherSampler_hasItsTimesteps() {
    List<String> options =
        List.of(
            "--sampler dpm-solver++ 999,749,500,250",
            "--sampler sa-solver --spacing linspace 999,749,500,250",
            "--sampler iddpm 750,500,250,0",
            "--sampler iddpm --spacing openai 999,666,333,0",
            "--sampler ddim --spacing openai 999,666,333,0");
    for (String option : options) {
      int cut = option.lastIndexOf(' ');
      String line =
          "policy fora --checkpoint tests/golden/dit --steps 4 %s --out %s"
              .formatted(option.substring(0, cut), folder.resolve("out.json"));
      assertThat(Invocation.of(line.split(" ")).err()).isEmpty();
      assertThat(out().sampler()).isEqualTo(option.split(" ")[1]);
      assertThat(out().timesteps().toString().replaceAll("[^0-9,]", ""))
          .isEqualTo(option.substring(cut + 1));
    }
  }

  @Test
  void policy_forACheckpointWithMoreThanIsRead_isRefused() {
    Path out = folder.resolve("out.json");
    Invocation refused =
        Invocation.of(
            ("policy fora --checkpoint tests/resources/io/harmonica/model/qk_norm.pt --heads 2"
                    + " --steps 4 --out "
                    + out)
                .split(" "));
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("error: tests/resources/io/harmonica/model/qk_norm.pt holds 4 weights that")
        .hasLineCount(1);
    assertThat(out).doesNotExist();
  }

  @Test
  void policy_forASamplerThatTheModelCannotServe_isRefused() {
    Path out = folder.resolve("out.json");
    Invocation refused =
        Invocation.of(
            ("policy fora --checkpoint export/shapes-dit --steps 4 --sampler iddpm --out " + out)
                .split(" "));
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("error: sampler iddpm needs a learned variance")
        .hasLineCount(1);
    assertThat(out).doesNotExist();
  }

  @Test
  void policy_curIntoTheFirstStep_isUsage() {
    Invocation refused = run("policy random --checkpoint c --steps 4 --cur 0.8 --out OUT");
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err()).startsWith("error: --cur is 0.8, expected at most 0.7500");
    assertThat(folder.resolve("out.json")).doesNotExist();
  }

  @Test
  void policy_targetIsAFolder_fails() throws IOException {
    Files.createDirectory(folder.resolve("out.json"));
    Invocation failed = run("policy fora --checkpoint c --steps 4 --out OUT");
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .contains("out.json is a folder, expected a file in it")
        .hasLineCount(1);
  }

  @Test
  void inspect_json_hasExactlyTheContractsFieldsAndNames() throws IOException {
    FORA.write(folder.resolve("out.json"));
    Invocation with = run("inspect --router OUT --checkpoint c --json");
    assertThat(with.code()).isZero();
    JsonNode json = new ObjectMapper().readTree(with.out());
    assertThat(json.fieldNames())
        .toIterable()
        .containsExactly(
            "name",
            "model",
            "steps",
            "branches",
            "branchNames",
            "computedPerStep",
            "reused",
            "cur",
            "theoreticalSpeedup",
            "peakCacheBytesPerSample",
            "routes");
    assertThat(json.get("steps").intValue()).isEqualTo(4);
    assertThat(json.get("branches").intValue()).isEqualTo(4);
    assertThat(json.get("computedPerStep").toString()).isEqualTo("[4,0,4,0]");
    assertThat(json.get("reused").intValue()).isEqualTo(8);
    assertThat(json.get("cur").doubleValue()).isEqualTo(0.5);
    assertThat(json.get("theoreticalSpeedup").doubleValue()).isEqualTo(200 / 120.0);
    assertThat(json.get("peakCacheBytesPerSample").longValue()).isEqualTo(4 * 32 * 4);
    assertThat(json.get("routes").intValue()).isEqualTo(2);
    JsonNode without = new ObjectMapper().readTree(run("inspect --router OUT --json").out());
    assertThat(without.get("theoreticalSpeedup").isNull()).isTrue();
    assertThat(without.get("peakCacheBytesPerSample").isNull()).isTrue();
  }

  @Test
  void inspect_text_showsSummaryAndHeatMap() {
    FORA.write(folder.resolve("out.json"));
    assertThat(run("inspect --router OUT").out())
        .startsWith(
            "fora2 for DiT-2x8/2, sampler ddim, reuse last\n4 steps x 4 branches, CUR 0.500")
        .contains("made by {\"policy\":\"fora\",\"interval\":2}")
        .contains("   1        2  ·· ··");
  }

  @Test
  void inspect_png_writesAPictureAndKeepsJsonClean() throws IOException {
    FORA.write(folder.resolve("out.json"));
    Path png = folder.resolve("map.png");
    Invocation done = run("inspect --router OUT --json --png " + png);
    assertThat(done.code()).isZero();
    assertThat(done.err()).isEqualTo("wrote " + png + "\n");
    assertThat(new ObjectMapper().readTree(done.out()).get("steps").intValue()).isEqualTo(4);
    assertThat(ImageIO.read(png.toFile()).getWidth()).isGreaterThan(100);
  }

  @Test
  void inspect_routerOfAnotherModel_fails() {
    new Fora(2)
        .router("r", "DiT-XL/2", "ddim", Timesteps.of(List.of(1, 0)), BRANCHES)
        .write(folder.resolve("out.json"));
    Invocation failed = run("inspect --router OUT --checkpoint c");
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .startsWith("error: router 'r' is for model 'DiT-XL/2', but this model is 'DiT-2x8/2'");
  }

  @Test
  void policy_tiers_makesAFamily_thatInspectShows() throws IOException {
    Invocation done = run("policy fora --checkpoint c --steps 8 --tiers 3.0,1.3,2.0,1.5 --out OUT");
    assertThat(done.out()).hasLineCount(4);
    String routers = "";
    for (String tier : List.of("quality", "balanced", "2.0x", "fast")) {
      Path file = folder.resolve("out-" + tier + ".json");
      Router router = Router.read(file);
      assertThat(router.name()).isEqualTo("out-" + tier);
      assertThat(router.tier()).contains(tier);
      routers = " --router " + file + routers; // the fastest first
    }
    Path report = folder.resolve("report.json");
    Files.writeString(
        report,
        "{\"variants\":[{\"settings\":{\"router\":\"out-fast\"},\"speedup\":{\"value\":2.5}}]}");
    String frontier = run("inspect" + routers + " --checkpoint c --report " + report).out();
    assertThat(frontier.lines().map(line -> line.strip().split(" +")[0]))
        .containsExactly("router", "out-quality", "out-balanced", "out-2.0x", "out-fast");
    assertThat(frontier.lines().toList().get(4)).containsPattern("fast +8 .* 2.50x +- +");
    JsonNode json = new ObjectMapper().readTree(run("inspect" + routers + " --json").out());
    assertThat(json.get(0).get("tier").textValue()).isEqualTo("fast");
    assertThat(run("policy fora --checkpoint c --steps 8 --tiers 1.3 --interval 2 --out OUT").err())
        .startsWith("error: --tiers and --interval exclude each other");
    assertThat(run("policy fora --checkpoint c --steps 8 --tiers 1.5,1.5 --out OUT").err())
        .startsWith("error: --tiers: speedup 1.5 is named twice");
    assertThat(run("policy fora --checkpoint c --steps 8 --tiers 0.5 --out OUT").err())
        .startsWith("error: --tiers: '0.5' is no speedup");
  }

  /** Two routers with errors of their training: one is beaten by the other. */
  @Test
  void inspect_severalRouters_marksThoseThatNoneBeats() {
    Path near = folder.resolve("near.json");
    Path far = folder.resolve("far.json");
    for (Path file : List.of(near, far)) {
      Router router = new Fora(2).router("r", "DiT-2x8/2", "ddim", FORA.timesteps(), BRANCHES);
      router.training().put("unseenError", file == near ? 1e-4 : 2e-4);
      router.write(file);
    }
    assertThat(run("inspect --router " + near + " --router " + far + " --checkpoint c").out())
        .containsPattern("\\* +r .* 1.00e-04")
        .containsPattern("\n +r .* 2.00e-04");
    assertThat(run("inspect --router " + near + " --report x").err())
        .startsWith("error: --report has no effect with one router");
  }

  @Test
  void inspect_repository_listsItsRoutersOrShowsOne() throws IOException {
    String repository = "inspect --model-repository d --model m ";
    assertThat(run(repository).out())
        .contains("fora2: 4 steps x 4 branches, CUR 0.500, theoretical speedup 1.67x")
        .contains("taylor2: ");
    JsonNode json = new ObjectMapper().readTree(run(repository + "--json").out());
    assertThat(StreamSupport.stream(json.get("routers").spliterator(), false))
        .extracting(router -> router.get("name").textValue())
        .containsExactly("fora2", "taylor2");
    assertThat(run(repository + "--router taylor2").out()).startsWith("taylor2 for DiT-2x8/2");
    Path png = folder.resolve("map.png");
    Invocation refused = run(repository + "--png " + png);
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err())
        .isEqualTo(
            "error: --png draws one router, and model m has 2: name it with --router; see"
                + " `harmonica inspect --help`\n");
    assertThat(run(repository + "--router taylor2 --png " + png).err())
        .isEqualTo("wrote " + png + "\n");
    Invocation failed = run(repository + "--router taylor3");
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err()).contains("has no router 'taylor3'").contains("mean 'taylor2'");
  }

  @Test
  @Tag("golden")
  void inspect_exportedModel_showsItsRouters() throws IOException {
    Path checkpoint = Golden.path("dit");
    Path file = folder.resolve("every-other.json");
    Invocation made =
        Invocation.of(
            ("policy fora --steps 4 --out " + file + " --checkpoint " + checkpoint).split(" "));
    assertThat(made.err()).isEmpty();
    Path repository = folder.resolve("repository");
    Exports.export(
        checkpoint,
        OptionalInt.empty(),
        List.of(Router.read(file)),
        ExportOptions.of("dit"),
        repository);
    String[] inspect = {
      "inspect",
      "--model-repository",
      "" + repository,
      "--model",
      "dit",
      "--router",
      "every-other",
      "--json"
    };
    Invocation exported = Invocation.of(inspect);
    Invocation local =
        Invocation.of(
            ("inspect --json --router " + file + " --checkpoint " + checkpoint).split(" "));
    assertThat(exported.err()).isEmpty();
    assertThat(exported.out()).isEqualTo(local.out()).contains("\"cur\" : 0.5");
    inspect[4] = "dat";
    Invocation failed = Invocation.of(inspect);
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err())
        .startsWith("error: model repository " + repository + " has no model 'dat'")
        .hasLineCount(1);
  }

  @Test
  @Tag("golden")
  void importRouter_goldenFile_fitsItsModel() {
    Path out = folder.resolve("imported.json");
    int heads = Golden.json("dit-facebook/arch.json").at("/config/heads").intValue();
    Invocation done =
        Invocation.of(
            "import-router",
            "--format",
            "harmonica",
            Golden.path("routing/harmonica-reference/router.pt").toString(),
            "--checkpoint",
            Golden.path("dit-facebook/model.pt").toString(),
            "--heads",
            "" + heads,
            "--out",
            out.toString());
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    JsonNode config = Golden.json("routing/harmonica-reference/config.json");
    assertThat(Router.read(out).timesteps())
        .isEqualTo(Timesteps.of(Golden.integers(config.get("timesteps"))));
    assertThat(Router.read(out).threshold()).isEqualTo(config.get("tau").doubleValue());
    Invocation sampled =
        Invocation.of(
            "import-router",
            "--format",
            "harmonica",
            Golden.path("routing/harmonica-reference/router.pt").toString(),
            "--checkpoint",
            Golden.path("dit-facebook/model.pt").toString(),
            "--heads",
            "" + heads,
            "--sampler",
            "dpm-solver++",
            "--out",
            out.toString());
    assertThat(sampled.err()).isEmpty();
    int steps = Router.read(out).steps();
    assertThat(Router.read(out).timesteps())
        .isEqualTo(Timesteps.of(Spacing.LINSPACE.solverTimesteps(steps, 1000)));
    Invocation other =
        Invocation.of(
            "import-router",
            "--format",
            "harmonica",
            Golden.path("routing/harmonica-reference/router.pt").toString(),
            "--architecture",
            "DiT-XL/2",
            "--out",
            folder.resolve("xl.json").toString());
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err()).contains("expected [56], one for each branch").hasLineCount(1);
    assertThat(folder.resolve("xl.json")).doesNotExist();
  }

  /** A U-ViT, as its golden router has branches. */
  private record UVit(int blocks) implements Models {
    private ModelCard card() {
      List<String> branches =
          IntStream.range(0, 2 * blocks)
              .mapToObj(i -> "block0%d.%s".formatted(i / 2, i % 2 == 0 ? "attention" : "mlp"))
              .toList();
      return new ModelCard(
          "U-ViT",
          branches,
          new Flops(10, Collections.nCopies(2 * blocks, 10L)),
          CacheBytes.of(Collections.nCopies(2 * blocks, 128L)),
          Sampling.of(AnyTime.DISCRETE, "dpm-solver-fast", Spacing.UNIFORM, false),
          Optional.empty());
    }

    @Override
    public ModelCard checkpoint(Path path, Choices choices) {
      return card();
    }

    @Override
    public ModelCard architecture(String preset) {
      return card();
    }

    @Override
    public Exported exported(Path repository, String model) {
      return new Exported(card(), List.of());
    }

    Invocation run(String line) {
      return Invocation.run(
          console -> Harmonica.run(Harmonica.commands(this), line.split(" "), console));
    }
  }

  @Test
  @Tag("golden")
  void importRouter_ofUVit_isForTheSamplerThatItWasTrainedFor() {
    UVit model = new UVit(5);
    Path file = Golden.path("uvit/class-noconv/router.pth");
    String line =
        "import-router --format learning-to-cache %s --checkpoint c --out %s"
            .formatted(file, folder.resolve("out.json"));
    Invocation done = model.run(line);
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).contains("10 steps x 10 branches");
    assertThat(out().sampler()).isEqualTo("dpm-solver-2");
    assertThat(out().threshold()).isEqualTo(0.9);
    assertThat(out().timesteps())
        .isEqualTo(AnyTime.DISCRETE.sampler("dpm-solver-2", 10, Spacing.UNIFORM).timesteps());
    assertThat(out().toJson()).contains("\"harmonica-router/2\"", "[1000, 907.246");
    Invocation other = model.run(line + " --sampler dpm-solver-fast");
    assertThat(other.err())
        .isEqualTo(
            "error: %s was trained for sampler dpm-solver-2, not dpm-solver-fast: leave out --sampler\n"
                .formatted(file));
    assertThat(run(line.replace("class-noconv", "class-conv")).err())
        .contains("has shape [14], expected [4]");
  }

  @Test
  @Tag("golden")
  void importRouter_ofDiT_isRefusedForUVit() {
    Path file = Golden.path("routing/harmonica-reference/router.pt");
    Invocation refused =
        new UVit(3)
            .run(
                "import-router --format learning-to-cache %s --checkpoint c --out %s"
                    .formatted(file, folder.resolve("out.json")));
    assertThat(refused.err())
        .contains("is Learning-to-Cache's for DiT, whose rows are no steps of dpm-solver-fast")
        .hasLineCount(1);
    assertThat(folder.resolve("out.json")).doesNotExist();
  }

  @Test
  void policy_forUVit_hasTheTimesOfItsSampler() {
    UVit model = new UVit(3);
    String line =
        "policy taylor --checkpoint c --steps 8 --interval 2 --out " + folder.resolve("out.json");
    assertThat(model.run(line).err()).isEmpty();
    assertThat(out().sampler()).isEqualTo("dpm-solver-fast");
    assertThat(out().timesteps())
        .isEqualTo(AnyTime.DISCRETE.sampler("dpm-solver-fast", 8, Spacing.UNIFORM).timesteps());
    assertThat(model.run(line + " --sampler ddim").err())
        .startsWith("error: --sampler ddim takes whole timesteps");
    assertThat(model.run(line.replace("8", "9") + " --sampler dpm-solver-2").err())
        .startsWith("error: --steps 9 is odd");
    assertThat(model.run(line + " --spacing linspace").err())
        .startsWith("error: --spacing linspace does not go with --sampler dpm-solver-fast");
  }
}
