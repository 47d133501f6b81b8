package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Trees;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.compare.Quality;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.export.Tmpfs;
import io.harmonica.generate.Starts;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GenerateCommandTest {
  private Path repository;
  private Path folder;

  @BeforeAll
  void export(@TempDir Path shared) {
    repository = shared;
    ExportOptions options = ExportOptions.of("shapes").withForce(true);
    Router router = Router.read(Checkpoints.SHAPES.resolve("routers/taylor-2.json"));
    router.training().put("tier", "fast");
    Exports.export(Checkpoints.SHAPES, OptionalInt.empty(), List.of(router), options, repository);
    Path real = Path.of("tests/resources/io/harmonica/generate/no-null-class/classes.pt");
    ExportOptions own = ExportOptions.of("real").withForce(true);
    Exports.export(real, OptionalInt.empty(), List.of(), own, repository);
    ExportOptions latent = ExportOptions.of("latent").withForce(true);
    Exports.export(Checkpoints.DIT, OptionalInt.empty(), List.of(), latent, repository);
  }

  @BeforeEach
  void setUp(@TempDir Path own) {
    folder = own;
  }

  /** REPOSITORY stands for the exported one, DIR for the test's folder. */
  private Invocation run(String line) {
    List<String> args = new ArrayList<>(List.of("generate"));
    for (String word : line.strip().split(" +")) {
      args.add(word.replace("REPOSITORY", repository.toString()).replace("DIR", folder.toString()));
    }
    return Invocation.of(args.toArray(String[]::new));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          --guidance 1.5       | 1 | guidance 1.5 needs a null class to lead away from, and model real has none
          --guidance-channels 3 | 2 | --guidance-channels
          """)
  void guidance_withoutNullClass_isRefused(String option, int code, String said) {
    String line = "--model-repository REPOSITORY --model real --classes 0,1,2 --steps 2 --out DIR";
    Invocation refused = run(line + " " + option);
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.err()).startsWith("error: ").contains(said).hasLineCount(1);
    assertThat(run(line).err()).doesNotContain("error");
  }

  private Invocation shapes(String line) {
    Invocation done = run("--model-repository REPOSITORY --model shapes --steps 2 " + line);
    assertThat(done.err()).isEmpty();
    assertThat(done.code()).isZero();
    return done;
  }

  private float[] latents(String file) {
    try (Checkpoint tensors = Checkpoint.open(folder.resolve(file))) {
      return tensors.tensor("latents").floats();
    }
  }

  private void save(String file, String tensor, float[] values, long... shape) {
    SafetensorsWriter.write(folder.resolve(file), Map.of(tensor, Floats.of(values, shape)));
  }

  @Test
  void generate_writesAPictureEach_andASheet() throws IOException {
    Invocation done = shapes("--classes 7,0,7 --out DIR/new/pictures");
    assertThat(done.out())
        .matches("3 pictures in \\d+\\.\\d\\d s, router none, in " + folder + "/new/pictures\n");
    Path out = folder.resolve("new/pictures");
    assertThat(Trees.of(out).keySet())
        .containsExactly("", "0000-class7.png", "0001-class0.png", "0002-class7.png", "sheet.png");
    assertThat(ImageIO.read(out.resolve("0001-class0.png").toFile()).getWidth()).isEqualTo(32);
    assertThat(ImageIO.read(out.resolve("sheet.png").toFile()).getWidth()).isGreaterThan(3 * 128);
  }

  @Test
  void generate_routed_takesTheRoutersSteps() {
    Invocation done =
        run(
            "--model-repository REPOSITORY --model shapes --tier fast --classes 1"
                + " --out DIR --save-latents DIR/new/l.safetensors");
    assertThat(done.err()).isEmpty();
    assertThat(done.out()).contains("1 picture in").contains("router taylor-2");
    assertThat(latents("new/l.safetensors")).hasSize(3 * 32 * 32);
  }

  @Test
  void generate_withEverySampler() throws IOException {
    for (String sampler :
        List.of("dpm-solver++ --steps 8", "sa-solver --steps 3", "ddim --eta 1")) {
      String own = sampler.contains("--steps") ? "" : " --steps 2";
      Invocation done =
          run(
              "--model-repository REPOSITORY --model shapes --classes 3 --out DIR/s --sampler "
                  + sampler
                  + own);
      assertThat(done.err()).isEmpty();
      assertThat(done.out()).startsWith("1 picture in");
      assertThat(ImageIO.read(folder.resolve("s/0000-class3.png").toFile()).getWidth())
          .isEqualTo(32);
    }
    Invocation learned =
        run(
            "--model-repository REPOSITORY --model latent --classes 3 --out DIR/l --steps 2"
                + " --sampler iddpm");
    assertThat(learned.code()).isZero();
    assertThat(latents("l/latents.safetensors")).hasSize(4 * 8 * 8);
  }

  /** What the solver is for: at equal cost nearer to where many steps lead. */
  @Test
  void dpmSolver_inEightSteps_isNearerThanDdim() {
    String line = "--model-repository REPOSITORY --model shapes --classes 4,8 --seed 3 --out DIR/o";
    for (String sampler : List.of("ddim --steps 60", "ddim --steps 8", "dpm-solver++ --steps 8")) {
      String file = sampler.replaceAll("[^a-z0-9]", "") + ".safetensors";
      assertThat(run(line + " --sampler " + sampler + " --save-latents DIR/" + file).code())
          .isZero();
    }
    Latents many = pictures("ddimsteps60.safetensors");
    double ddim = Quality.of(many, pictures("ddimsteps8.safetensors")).meanPsnrDecibels();
    double solver = Quality.of(many, pictures("dpmsolversteps8.safetensors")).meanPsnrDecibels();
    assertThat(solver).isGreaterThan(ddim + 2);
  }

  private Latents pictures(String file) {
    return new Latents(latents(file), 2, 3, 32, 32);
  }

  @Test
  void latents_makeTheRoundTrip() {
    shapes("--classes 4,2 --seed 17 --out DIR/a --save-latents DIR/seeded.safetensors");
    save("noise.safetensors", "latents", Starts.of(17, 2, 3072), 2, 3, 32, 32);
    shapes(
        "--classes 4,2 --latents DIR/noise.safetensors --out DIR/b"
            + " --save-latents DIR/given.safetensors");
    assertThat(latents("given.safetensors")).containsExactly(latents("seeded.safetensors"));
    assertThat(Trees.of(folder.resolve("b"))).isEqualTo(Trees.of(folder.resolve("a")));
    try (Checkpoint saved = Checkpoint.open(folder.resolve("given.safetensors"))) {
      assertThat(saved.tensor("latents").shape()).containsExactly(2L, 3L, 32L, 32L);
      assertThat(saved.names()).containsExactly("latents");
    }
  }

  @Test
  void oneClass_isForEveryRowOfLatents() {
    save("noise.safetensors", "latents", new float[3 * 3072], 3, 3, 32, 32);
    shapes("--classes 5 --latents DIR/noise.safetensors --out DIR/out");
    assertThat(folder.resolve("out/0002-class5.png")).exists();
  }

  @Test
  void guidanceChannels_allOrSome() {
    String line = "--classes 3 --guidance 3 --out DIR/o --save-latents DIR/";
    shapes(line + "default.safetensors");
    shapes(line + "all.safetensors --guidance-channels all");
    shapes(line + "one.safetensors --guidance-channels 1");
    assertThat(latents("all.safetensors")).containsExactly(latents("default.safetensors"));
    assertThat(latents("one.safetensors")).isNotEqualTo(latents("all.safetensors"));
  }

  @Test
  void latentsThatAreNoPixels_areKept() {
    Invocation done =
        run(
            "--model-repository REPOSITORY --model latent --steps 2 --classes 1,2"
                + " --spacing openai --out DIR/new");
    assertThat(done.code()).isZero();
    assertThat(done.err())
        .isEqualTo(
            "note: latents of 4 channels need the model's decoder to become pictures (export with --vae): kept in %s\n"
                .formatted(folder.resolve("new/latents.safetensors")));
    assertThat(latents("new/latents.safetensors")).hasSize(2 * 4 * 8 * 8);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | --model shapes --classes 1 --out DIR/o                              | missing --model-repository DIR or --triton HOST:PORT
          2 | --model-repository REPOSITORY --triton localhost:1 --model shapes --classes 1 --out DIR/o | exclude each other
          2 | --model-repository REPOSITORY --classes 1 --out DIR/o               | missing --model NAME
          2 | --model-repository REPOSITORY --model shapes --classes 1            | missing --out DIR
          2 | --model-repository REPOSITORY --model shapes --out DIR/o            | missing --classes
          2 | --model-repository REPOSITORY --model shapes --classes 1,,2 --out DIR/o | --classes is '', expected
          2 | --model-repository REPOSITORY --model shapes --classes -1 --out DIR/o | --classes
          2 | --model-repository REPOSITORY --model shapes --classes cat --out DIR/o | --classes is 'cat', expected
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --steps 0 | --steps is '0', expected a whole number in 1..1000
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --guidance nan | --guidance is 'nan', expected
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --guidance -1 | --guidance is '-1', expected
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --seed 1.5 | --seed is '1.5', expected
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --sampler euler | --sampler 'euler' is unknown; use ddim, dpm-solver++, dpm-solver-2, dpm-solver-fast, flow-euler, iddpm, sa-solver
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --eta 1.5 | --eta is '1.5', expected a number in 0.0..1.0
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --eta 1 --sampler sa-solver | --eta has an effect with --sampler ddim only
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --spacing openai --sampler dpm-solver++ | --spacing openai does not go with --sampler dpm-solver++; use linspace
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --steps 1000 --sampler dpm-solver++ | --steps 1000 is out of range 1..999
          1 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --sampler iddpm | sampler iddpm needs a learned variance, and the model has none: use another --sampler
          1 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --router taylor-2 --sampler dpm-solver++ | router taylor-2 was made for sampler ddim, not dpm-solver++
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --spacing even | --spacing 'even' is unknown
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --guidance-channels some | --guidance-channels is 'some', expected
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --guidance-channels 1 --guidance 1 | --guidance-channels has no effect with --guidance up to 1
          2 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --deadline 5 | --deadline has no effect without --triton
          2 | --triton localhost:1 --model shapes --classes 1 --out DIR/o --deadline 0 | --deadline is '0', expected a number in 0.001..86400.0
          1 | --model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --guidance-channels 4 | --guidance-channels 4 is out of range: model shapes has 3 channels
          1 | --model-repository REPOSITORY --model shapes --prompt cat --out DIR/o | model shapes takes classes 0..9, not texts: use --classes
          1 | --model-repository REPOSITORY --model shapes --classes 3,10 --out DIR/o | unknown class 10: model shapes has classes 0..9
          1 | --model-repository REPOSITORY --model shape --classes 3 --out DIR/o | has no model 'shape', it has shapes,
          1 | --model-repository REPOSITORY --model shapes-head --classes 3 --out DIR/o | model shapes-head is only a part of a model: name shapes
          1 | --model-repository REPOSITORY --model shapes --classes 3 --router fora-9 --out DIR/o | model shapes has no router 'fora-9', it has taylor-2
          1 | --model-repository REPOSITORY --model shapes --classes 3 --tier slow --out DIR/o | model shapes has no router of --tier 'slow', it has fast
          1 | --model-repository REPOSITORY --model shapes --classes 3 --tier fast --steps 10 --out DIR/o | model shapes has no router of --tier 'fast' for such steps and sampler, of taylor-2 (20 steps)
          2 | --model-repository REPOSITORY --model shapes --classes 3 --tier fast --router none --out DIR/o | --tier and --router exclude each other
          1 | --model-repository REPOSITORY --model shapes --classes 3 --router taylor-2 --steps 10 --out DIR/o | router taylor-2 is for 20 steps, not 10
          1 | --model-repository REPOSITORY --model shapes --classes 3 --router taylor-2 --spacing openai --out DIR/o | router taylor-2 is for timesteps [950,
          1 | --model-repository DIR/none --model shapes --classes 3 --out DIR/o  | no model repository at DIR/none
          1 | --model-repository REPOSITORY --model shapes --classes 3 --out pom.xml | --out pom.xml cannot be a folder:
          1 | --model-repository REPOSITORY --model shapes --classes 3 --steps 1 --out pom.xml/o | pom.xml is a file
          1 | --model-repository REPOSITORY --model latent --classes 3 --steps 1 --out pom.xml/o | --out pom.xml/o cannot be a folder:
          1 | --model-repository REPOSITORY --model shapes --classes 3 --out DIR/o --save-latents pom.xml/l.safetensors | --save-latents pom.xml/l.safetensors cannot be written
          1 | --model-repository REPOSITORY --model shapes --classes 3 --out DIR/o --save-latents DIR/l.st | l.st is no .safetensors file by its name: give it one that ends so
          1 | --model-repository REPOSITORY --model shapes --classes 3 --out DIR/o --save-latents DIR | cannot be written, expected a file in a folder
          1 | --model-repository REPOSITORY --model shapes --classes 3 --out DIR/o --latents DIR/none.safetensors | DIR/none.safetensors
          1 | --model-repository REPOSITORY --model shapes --classes 3 --out DIR/o --latents pom.xml | --latents pom.xml is no .safetensors file by its name
          """)
  void badInput_isOneLine_andWritesNothing(int code, String line, String message) {
    assertRefused(code, line, message);
  }

  private void assertRefused(int code, String line, String message) {
    var before = Trees.of(folder);
    Invocation refused = run(line);
    assertThat(refused.err())
        .startsWith("error: ")
        .contains(message.replace("DIR/", folder + "/"))
        .hasLineCount(1);
    assertThat(refused.code()).isEqualTo(code);
    assertThat(refused.out()).isEmpty();
    assertThat(Trees.of(folder)).isEqualTo(before);
  }

  @Test
  void badLatents_areOneLine_andWriteNothing() {
    save("flat.safetensors", "latents", new float[3072], 3, 32, 32);
    save("empty.safetensors", "latents", new float[0], 1, 0, 1L << 40, 1);
    save("named.safetensors", "noise", new float[3072], 1, 3, 32, 32);
    save("small.safetensors", "latents", new float[256], 1, 4, 8, 8);
    save("three.safetensors", "latents", new float[3 * 3072], 3, 3, 32, 32);
    float[] nan = new float[3072];
    nan[3071] = Float.NaN;
    save("nan.safetensors", "latents", nan, 1, 3, 32, 32);
    assertLatents(1, "flat", "tensor 'latents' has shape [3, 32, 32], expected [n, channels,");
    assertLatents(1, "empty", "tensor 'latents' has shape [1, 0, 1099511627776, 1], expected");
    assertLatents(1, "named", "has no tensor 'latents', only [noise]");
    assertLatents(1, "small", "latents are [4, 8, 8] a row, model shapes takes [3, 32, 32]");
    assertLatents(1, "nan", "holds NaN, expected finite numbers");
    assertLatents(2, "three", "--latents has 3 rows for 2 --classes, expected as many");
  }

  @Test
  void seed_withLatents_isForSamplersThatAddNoise() {
    save("noise.safetensors", "latents", new float[3072], 1, 3, 32, 32);
    String line =
        "--model-repository REPOSITORY --model shapes --classes 1 --out DIR/o --steps 3"
            + " --latents DIR/noise.safetensors --seed 5 ";
    String refusal = "--seed has no effect with --latents and a sampler that adds no noise";
    assertRefused(2, line, refusal);
    assertRefused(2, line + "--sampler dpm-solver++", refusal);
    assertRefused(2, line + "--eta 0", refusal);
    for (String noisy : List.of("--sampler sa-solver", "--eta 0.5")) {
      assertThat(run(line + noisy + " --save-latents DIR/a.safetensors").code()).isZero();
      run(line.replace("--seed 5", "--seed 6") + noisy + " --save-latents DIR/b.safetensors");
      assertThat(latents("a.safetensors")).isNotEqualTo(latents("b.safetensors"));
    }
  }

  private void assertLatents(int code, String file, String message) {
    String classes = file.equals("three") ? "1,2" : "1";
    assertRefused(
        code,
        "--model-repository REPOSITORY --model shapes --classes %s --out DIR/o --latents DIR/%s.safetensors"
            .formatted(classes, file),
        message);
  }

  @Test
  void serverThatIsNotThere_isOneLine() {
    assertRefused(1, "--triton localhost:1 --model shapes --classes 1 --out DIR/o", "localhost:1");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "generate --model-repository REPOSITORY --model shapes --classes 1 --steps 1 --out DIR/o"
            + " --save-latents DIR/disk/l.safetensors",
        "generate --model-repository REPOSITORY --model shapes --classes 1 --steps 1"
            + " --out DIR/disk",
        "policy random --checkpoint export/shapes-dit --steps 20 --out DIR/disk/r.json"
      })
  void fullDisk_isOneLine_andNothingIsLeftOnIt(String line) throws IOException {
    try (Tmpfs disk = Tmpfs.mount(folder.resolve("disk"), "size=4k,nr_inodes=3")) {
      Files.write(disk.folder().resolve("full"), new byte[4096]);
      String[] args =
          line.replace("REPOSITORY", repository.toString())
              .replace("DIR", folder.toString())
              .split(" +");
      Invocation refused = Invocation.of(args);
      assertThat(refused.err())
          .startsWith("error: ")
          .contains(disk.folder().toString(), "No space left on device")
          .hasLineCount(1);
      assertThat(refused.code()).isEqualTo(1);
      assertThat(disk.folder().toFile().list()).containsExactly("full");
    }
  }

  @Test
  void out_isReplacedFileByFile() throws IOException {
    Files.createDirectories(folder.resolve("o"));
    Files.writeString(folder.resolve("o/mine.txt"), "kept");
    shapes("--classes 1 --out DIR/o");
    shapes("--classes 1 --out DIR/o");
    assertThat(Trees.of(folder.resolve("o")).keySet())
        .containsExactly("", "0000-class1.png", "mine.txt", "sheet.png");
  }
}
