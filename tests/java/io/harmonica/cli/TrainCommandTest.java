package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainCommandTest {
  @TempDir Path folder;

  private Invocation train(String... more) {
    List<String> words =
        new ArrayList<>(
            List.of(
                "train",
                "--checkpoint",
                Checkpoints.DIT.toString(),
                "--steps",
                "4",
                "--iterations",
                "2",
                "--batch",
                "1",
                "--out",
                folder.resolve("router.json").toString()));
    words.addAll(List.of(more));
    return Invocation.of(words.toArray(String[]::new));
  }

  @Test
  void train_writesARouterAtTheTarget() {
    Invocation done = train("--target-cur", "0.5");
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    assertThat(done.out())
        .startsWith("wrote " + folder.resolve("router.json") + ": 4 steps x 6 branches, CUR 0.500");
    Router router = Router.read(folder.resolve("router.json"));
    assertThat(router.name()).isEqualTo("router");
    assertThat(router.timesteps()).isEqualTo(Timesteps.of(List.of(750, 500, 250, 0)));
    assertThat(router.training().path("cur").asDouble()).isEqualTo(0.5);
    assertThat(router.training().path("guidance").asDouble()).isEqualTo(1.5);
  }

  @Test
  void train_tiers_areRoutersOfTheirOwn() {
    Invocation done = train("--tiers", "1.2,1.5", "--grain", "run", "--reuse", "linear");
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).hasLineCount(2);
    Router quality = Router.read(folder.resolve("router-quality.json"));
    Router fast = Router.read(folder.resolve("router-fast.json"));
    assertThat(quality.name()).isEqualTo("router-quality");
    assertThat(fast.tier()).contains("fast");
    assertThat(fast.training().path("speedup").asDouble()).isEqualTo(1.5);
    assertThat(fast.runs()).hasSize(3);
    assertThat(train("--tiers", "1.2,1.5", "--resume", "x").err())
        .startsWith("error: --resume has no effect with --tiers");
  }

  @ParameterizedTest
  @ValueSource(strings = {"sdt", "ltc"})
  void train_withoutNullClass_doesWithoutGuidance(String objective) {
    Path file = Path.of("tests/resources/io/harmonica/generate/no-null-class/one-class.pt");
    List<String> words =
        List.of("train", "--checkpoint", file.toString(), "--steps", "4", "--iterations", "2");
    List<String> all = new ArrayList<>(words);
    all.addAll(List.of("--batch", "2", "--out", folder.resolve("router.json").toString()));
    all.addAll(List.of("--objective", objective));
    Invocation done = Invocation.of(all.toArray(String[]::new));
    assertThat(done.code()).as(done.err()).isZero();
    assertThat(done.err()).startsWith("note: " + file + " does not say").hasLineCount(1);
    Router router = Router.read(folder.resolve("router.json"));
    assertThat(router.training().path("guidance").asDouble()).isEqualTo(1);
    all.addAll(List.of("--guidance", "2"));
    Invocation refused = Invocation.of(all.toArray(String[]::new));
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err()).contains("error: guidance 2.0 needs a null class to lead away from");
  }

  @Test
  void train_noNullClass_isTakenFromTheCommandLine() {
    Invocation done = train("--no-null-class", "--target-cur", "0.5");
    assertThat(done.code()).as(done.err()).isZero();
    assertThat(Router.read(folder.resolve("router.json")).training().path("guidance").asDouble())
        .isEqualTo(1);
  }

  @Test
  void train_weightsThatAreNotRead_areNoted() {
    Map<String, Floats> tensors = Checkpoints.tensors(Checkpoints.DIT);
    tensors.put("register_tokens", Floats.of(new float[2], 2));
    Path more =
        Checkpoints.diffusers(folder.resolve("more"), Checkpoints.config(Checkpoints.DIT), tensors);
    Path out = folder.resolve("router.json");
    Invocation done = trainOn(more, out);
    assertThat(done.code()).isZero();
    assertThat(done.err())
        .startsWith(
            "note: " + more + " holds 1 weight that the transformer read here does not have")
        .hasLineCount(1);
    tensors.put("transformer_blocks.0.norm1.weight", Floats.of(new float[32], 32));
    Checkpoints.diffusers(more, Checkpoints.config(Checkpoints.DIT), tensors);
    Invocation refused = trainOn(more, folder.resolve("other.json"));
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith(
            "error: " + more + " holds 1 weight that the transformer read here does not have")
        .hasLineCount(1);
    assertThat(folder.resolve("other.json")).doesNotExist();
  }

  private static Invocation trainOn(Path checkpoint, Path out) {
    return Invocation.of(
        ("train --steps 4 --iterations 1 --batch 1 --checkpoint " + checkpoint + " --out " + out)
            .split(" "));
  }

  /** A router for engines in int8, whose state is none of another precision. */
  @Test
  void int8_isNoted_andNotResumedInFp32() {
    assertThat(train("--precision", "int8", "--exchange", "1").code()).isZero();
    Path state = folder.resolve("router.state.json");
    assertThat(Router.read(folder.resolve("router.json")).training().path("precision").asText())
        .isEqualTo("int8");
    assertThat(train("--resume", state.toString()).err()).contains("precision", "int8", "fp32");
  }

  /** The same with scales known beforehand: of this checkpoint, and whole. */
  @Test
  void int8Static_isTrainedWithItsRanges() {
    assertThat(train("--precision", "int8-static").err()).contains("missing --ranges FILE");
    String ranges = observed("ranges.safetensors", 1);
    assertThat(train("--ranges", ranges).err())
        .contains("--ranges has no effect without --precision int8-static");
    Invocation done = train("--precision", "int8-static", "--ranges", ranges, "--exchange", "1");
    assertThat(done.code()).as(done.err()).isZero();
    Router router = Router.read(folder.resolve("router.json"));
    assertThat(router.training().path("precision").asText())
        .matches("int8-static of ranges [0-9a-f]{32}");

    String others = observed("others.safetensors", 2);
    String state = folder.resolve("router.state.json").toString();
    assertThat(train("--precision", "int8-static", "--ranges", others, "--resume", state).err())
        .contains("was trained with precision int8-static of ranges ");
  }

  /** What a calibration sees on so many pictures. */
  private String observed(String file, int pictures) {
    String ranges = folder.resolve(file).toString();
    Invocation observed =
        Invocation.of(
            ("calibrate --steps 4 --pictures %d --checkpoint %s --out %s"
                    .formatted(pictures, Checkpoints.DIT, ranges))
                .split(" "));
    assertThat(observed.code()).as(observed.err()).isZero();
    return ranges;
  }

  @Test
  void train_resumes() {
    assertThat(train("--guidance", "1").code()).isZero();
    Path state = folder.resolve("router.state.json");
    Invocation more =
        Invocation.of(
            "train",
            "--checkpoint",
            Checkpoints.DIT.toString(),
            "--steps",
            "4",
            "--iterations",
            "3",
            "--batch",
            "1",
            "--guidance",
            "1",
            "--resume",
            state.toString(),
            "--out",
            folder.resolve("more.json").toString());
    assertThat(more.err()).isEmpty();
    assertThat(more.code()).isZero();
    assertThat(Router.read(folder.resolve("more.json")).training().path("iterations").asInt())
        .isEqualTo(3);
  }

  @ParameterizedTest
  @CsvSource({
    "--beta,-1,'--beta is ''-1'', expected a number in 0.0..1.0E9'",
    "--beta,NaN,'--beta is ''NaN'', expected a number in 0.0..1.0E9'",
    "--target-speedup,0.5,'--target-speedup is ''0.5'', expected a number in 1.0..1000.0'",
    "--target-cur,1,'--target-cur is 1.0, expected 0 or more and below 1'",
    "--learning-rate,0,'--learning-rate is 0.0, expected above 0, at most 1'",
    "--threshold,0.995,'--threshold is 0.995, expected above 0, at most 0.99'",
    "--lambda-every,0,'--lambda-every is ''0'', expected a whole number of at least 1'",
    "--init,xyz,'--init is xyz, expected random|none|fora|taylor|delta-dit or a router''s file'",
    "--reuse,cubic,'--reuse is ''cubic'', expected last|linear|quadratic|learned'",
    "--objective,ddpm,'--objective is ''ddpm'', expected sdt|ltc'",
    "--device,tpu,'--device is ''tpu'', expected cpu, cuda or cuda:N'",
    "--exchange,-1,'--exchange is ''-1'', expected a whole number of at least 0'",
  })
  void train_badOption_isWrongUsage(String option, String value, String message) {
    Invocation refused = train(option, value);
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err()).startsWith("error: " + message).hasLineCount(1);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void train_samplerThatTheModelCannotServe_isRefused() {
    Invocation refused =
        Invocation.of(
            "train",
            "--checkpoint",
            "export/shapes-dit",
            "--steps",
            "3",
            "--sampler",
            "iddpm",
            "--out",
            folder.resolve("router.json").toString());
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .startsWith("error: sampler iddpm needs a learned variance")
        .hasLineCount(1);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void train_fromARoutersFile_refusesOneForAnotherModel() {
    Invocation refused = train("--init", "export/shapes-dit/routers/fora-2.json");
    assertThat(refused.err()).startsWith("error: router 'fora-2' is for model").hasLineCount(1);
    assertThat(refused.code()).isEqualTo(1);
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void train_highestThreshold_trains() {
    assertThat(train("--threshold", "0.99").err()).isEmpty();
  }

  @Test
  void train_excludingOptions_areRefused() {
    assertThat(train("--beta", "1", "--target-cur", "0.5").err())
        .startsWith("error: --beta and --target-cur exclude each other");
    assertThat(train("--target-cur", "0.3", "--target-speedup", "2").code()).isEqualTo(2);
    assertThat(train("--objective", "ltc", "--reuse", "linear").err())
        .startsWith("error: --objective ltc reuses the last output");
    assertThat(train("--objective", "ltc", "--no-iepo").err())
        .startsWith("error: --no-iepo has no effect with --objective ltc");
    assertThat(train("--guidance", "1", "--guidance-channels", "3").code()).isEqualTo(2);
  }

  @Test
  void train_unreachableTarget_namesTheNearest() {
    Invocation refused = train("--target-cur", "0.8");
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .isEqualTo(
            "error: --target-cur 0.8 cannot be reached, the nearest is 0.750: 1 of 4 steps compute everything\n");
  }

  @Test
  void train_outCannotBeWritten_isRefusedAtOnce() {
    assertOutRefused(folder);
    assertOutRefused(Checkpoints.DIT.resolve("config.json").resolve("router.json"));
  }

  private static void assertOutRefused(Path out) {
    Invocation refused =
        Invocation.of(
            "train",
            "--checkpoint",
            Checkpoints.DIT.toString(),
            "--steps",
            "4",
            "--out",
            out.toString());
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .contains("cannot be written, expected a file in a folder")
        .hasLineCount(1);
  }

  @Test
  void train_exploding_stopsAndKeepsTheLastGoodState() throws IOException {
    assertThat(train().code()).isZero();
    Path state = folder.resolve("router.state.json");
    String good = Files.readString(state);
    String broken = good.replaceFirst("\"lambda\":\\[[^]]*]", "\"lambda\":[0,1e39,1e39,1e39]");
    Files.writeString(state, broken.replaceFirst("\"iterations\":2", "\"iterations\":1"));
    Invocation failed = train("--resume", state.toString());
    assertThat(failed.code()).isEqualTo(1);
    assertThat(failed.err()).startsWith("error: the loss is ").hasLineCount(1);
    assertThat(Files.readString(state)).contains("\"iterations\":1");
  }
}
