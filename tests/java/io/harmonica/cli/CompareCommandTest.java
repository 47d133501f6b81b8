package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Eventually;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.router.Router;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** On the shipped example, embedded, with few steps and rounds. */
class CompareCommandTest {
  private static final String NETWORK = "export/shapes-features/model.onnx";

  @TempDir static Path folder;

  private static Path repository;

  @TempDir Path own;

  @BeforeAll
  static void export() {
    repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("export/shapes-dit"))) {
      List<Router> routers =
          List.of(Router.read(Path.of("export/shapes-dit/routers/taylor-2.json")));
      new Exporter(Exports.model(checkpoint), routers, ExportOptions.of("shapes-dit"))
          .export(repository);
    }
  }

  private static List<String> words(String... more) {
    List<String> words = new ArrayList<>(List.of("compare", "--model-repository"));
    words.add(repository.toString());
    words.addAll(List.of("--model", "shapes-dit", "--classes", "1"));
    words.addAll(List.of(more));
    return words;
  }

  private static Invocation compare(String... more) {
    return Invocation.of(words(more).toArray(String[]::new));
  }

  private Path file(String name) {
    return own.resolve(name);
  }

  private JsonNode json() throws IOException {
    return new ObjectMapper().readTree(Files.readAllBytes(file("out.json")));
  }

  private String[] withFiles(String... words) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of("--json", file("out.json").toString()));
    all.addAll(List.of("--report", file("out.html").toString()));
    all.addAll(List.of("--junit", file("out.xml").toString()));
    return all.toArray(String[]::new);
  }

  @Test
  void compare_measuresAndTells() throws IOException {
    Invocation done =
        compare(
            withFiles(
                "--a",
                "none",
                "--b",
                "taylor-2",
                "--rounds",
                "2",
                "--warm-up",
                "0",
                "--features",
                NETWORK,
                "--fail-if",
                "b.cur < 0.4 || b.psnr < 10"));
    assertThat(done.code()).as(done.err()).isZero();
    assertThat(done.out())
        .contains("none", "taylor-2", "passed: fail if b.cur < 0.4 || b.psnr < 10");
    assertThat(done.err())
        .contains("2 rounds are too few for a 95 % interval: it takes at least 6");
    JsonNode json = json();
    assertThat(json.path("rounds").asInt()).isEqualTo(2);
    JsonNode b = json.path("variants").path(1);
    assertThat(b.path("name").asText()).isEqualTo("taylor-2");
    assertThat(b.path("cur").asDouble()).isEqualTo(0.5);
    assertThat(b.path("theoreticalSpeedup").asDouble()).isBetween(1.9, 2.0);
    assertThat(b.path("psnr").asDouble()).isBetween(20.0, 70.0);
    assertThat(b.path("frechet").path("value").asDouble()).isNotNegative();
    assertThat(b.path("accuracy").path("value").asDouble()).isBetween(0.0, 1.0);
    assertThat(json.path("variants").path(0).path("frechet").path("value").asDouble())
        .isLessThan(1e-6);
    assertThat(json.path("command").asText()).startsWith("bin/harmonica compare").contains(NETWORK);
    assertThat(Files.readString(file("out.html"))).contains("Router taylor-2", "Fréchet");
    assertThat(Files.readString(file("out.xml"))).contains("failures=\"0\"");
  }

  @Test
  void compare_withoutNullClass_takesEveryClassWithoutGuidance() throws IOException {
    Path file = Path.of("tests/resources/io/harmonica/generate/no-null-class/classes.pt");
    Path models = own.resolve("models");
    Exports.export(file, OptionalInt.empty(), List.of(), ExportOptions.of("real"), models);
    List<String> words = new ArrayList<>(List.of("compare", "--model", "real", "--a", "steps=3"));
    words.addAll(List.of("--model-repository", models.toString(), "--classes", "0,1,2"));
    words.addAll(List.of("--rounds", "1", "--warm-up", "0", "--b"));
    List<String> fewer = new ArrayList<>(words);
    fewer.addAll(List.of(withFiles("steps=2")));
    Invocation done = Invocation.of(fewer.toArray(String[]::new));
    assertThat(done.code()).as(done.err()).isZero();
    JsonNode b = json().path("variants").path(1);
    assertThat(b.path("settings").path("guidance").asText()).isEqualTo("1");
    words.add("guidance=4");
    Invocation refused = Invocation.of(words.toArray(String[]::new));
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .contains("guidance 4.0 needs a null class to lead away from, and model real has none")
        .contains("error: variant '")
        .hasLineCount(1);
  }

  @Test
  void compare_failsWhereAGateFires_andKeepsTheReport() throws IOException {
    Invocation done =
        compare(
            withFiles(
                "--a",
                "steps=3",
                "--b",
                "steps=2",
                "--rounds",
                "1",
                "--warm-up",
                "0",
                "--fail-if",
                "b.speedup < 1000"));
    assertThat(done.code()).isEqualTo(1);
    assertThat(done.out()).contains("FAILED: fail if b.speedup < 1000 (b.speedup.value = ");
    assertThat(json().path("gates").path(0).path("fired").asBoolean()).isTrue();
    assertThat(Files.readString(file("out.xml"))).contains("failures=\"1\"");
  }

  @Test
  void compare_sendsUnderLoad() throws IOException {
    Path variants = file("variants.json");
    Files.writeString(
        variants, "[\"steps=2\", {\"name\": \"short\", \"steps\": 1, \"guidance\": 1}]");
    String[] common = {"--variants", variants.toString(), "--rounds", "1", "--warm-up", "0"};
    Invocation concurrent =
        compare(withFiles(with(common, "--concurrency", "3", "--requests", "6")));
    assertThat(concurrent.code()).as(concurrent.err()).isZero();
    assertThat(json().path("picturesPerRound").asInt()).isEqualTo(6);
    assertThat(json().path("variants").path(1).path("name").asText()).isEqualTo("short");
    assertThat(json().path("variants").path(1).path("theoreticalSpeedup").asDouble()).isEqualTo(4);
    Invocation open = compare(withFiles(with(common, "--rate", "50", "--requests", "5")));
    assertThat(open.code()).as(open.err()).isZero();
    assertThat(open.out()).contains("requests due at 50 a second, open loop");
    assertThat(Files.readString(file("out.html"))).contains("from the moment a request was due");
  }

  private static String[] with(String[] words, String... more) {
    List<String> all = new ArrayList<>(List.of(words));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  @Test
  void compare_thatIsInterrupted_writesWhatItMeasured() throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(
        List.of("-cp", System.getProperty("java.class.path"), Harmonica.class.getName()));
    command.addAll(words(withFiles("--a", "steps=2", "--b", "steps=1", "--rounds", "1000000")));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(file("log").toFile())
            .start();
    Eventually.until(
        "five rounds done",
        () -> {
          assertThat(process.isAlive()).as(Files.readString(file("log"))).isTrue();
          return Files.readString(file("log")).contains("5 rounds done");
        });
    process.destroy(); // SIGTERM: a shell's background jobs ignore SIGINT
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(Files.readString(file("log"))).isEqualTo(1);
    assertThat(json().path("interrupted").asBoolean()).isTrue();
    assertThat(json().path("rounds").asInt()).isBetween(5, 999_999);
    assertThat(json().path("variants").path(1).path("latencyMillis").path("p50").asDouble())
        .isPositive();
    assertThat(Files.readString(file("out.html"))).contains("Interrupted: ");
    assertThat(Files.readString(file("log"))).contains("note: Interrupted");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | --a none                                            | at least two variants
          2 | --a none --c none                                   | --c without --b
          2 | --a none --b stpes=3                                | --b: unknown field 'stpes', known: name, router
          2 | --a none --b none --variants x.json                 | --variants and --a exclude each other
          2 | --a none --b none --concurrency 2 --rate 3          | --concurrency and --rate exclude each other
          2 | --a none --b none --per-server 2                    | --per-server has no effect without --concurrency or --rate
          2 | --a none --b none --reference x                     | --reference has no effect without --features
          2 | --a none --b none --fail-if b.speed<1               | unknown field 'speed', known: latencyMillis.p50
          2 | --a none --b none --fail-if c.speedup<1             | unknown variant 'c', known: a, b, none a, none b
          2 | --a none --b none --rounds 5 --fail-if b.speedup.low<1 | --rounds 5 are too few for one: at least 6
          2 | --a none --b none --fail-if b.frechet>1             | needs --features
          2 | --a none --b none --deadline 3                      | --deadline has no effect without a variant on Triton
          2 | --a none --b none --rounds 0                        | --rounds is '0'
          1 | --a none --b fora-9                                 | model shapes-dit has no router 'fora-9', it has taylor-2
          1 | --a none --b none --report /dev/null/x.html         | --report /dev/null/x.html cannot be written
          1 | --variants /nowhere.json                            | cannot read /nowhere.json
          1 | --a none --b taylor-2 --steps 7                     | router taylor-2 is for 20 steps, not 7
          1 | --a none --b sampler=iddpm                          | variant 'none (sampler iddpm)': sampler iddpm needs a learned variance
          1 | --a none --b triton=127.0.0.1:1                     | Triton server 127.0.0.1:1 cannot be reached
          """)
  void compare_ofWhatCannotBe_saysWhy(int code, String words, String said) {
    Invocation done = compare(words.split(" "));
    assertThat(done.err()).contains("error: ").contains(said);
    assertThat(done.code()).isEqualTo(code);
    assertThat(done.out()).isEmpty();
  }

  @Test
  void compare_ofAnUnknownClass_measuresNothing() {
    List<String> words = words("--a", "none", "--b", "taylor-2");
    words.set(words.indexOf("1"), "1,11");
    Invocation refused = Invocation.of(words.toArray(String[]::new));
    assertThat(refused.err())
        .contains("unknown class 11: model shapes-dit has classes 0..9")
        .hasLineCount(1);
    assertThat(refused.code()).isEqualTo(1);
  }

  @Test
  void compare_refusesAFileThatIsNoArray() throws IOException {
    Path variants = file("variants.json");
    Files.writeString(variants, "{\"a\": \"none\"}");
    assertThat(compare("--variants", variants.toString()).err())
        .contains("is no JSON array of 2 to 26 variants");
    Files.writeString(variants, "[\"none\", {\"steps\": [1]}]");
    assertThat(compare("--variants", variants.toString()).err())
        .contains("variant 2: 'steps' is [1], expected a word or a number");
  }

  @Test
  void compare_refusesANetworkBeforeItMeasures() {
    Invocation done =
        compare("--a", "none", "--b", "none", "--features", "export/shapes-dit/config.json");
    assertThat(done.code()).isEqualTo(1);
    assertThat(done.err()).contains("export/shapes-dit/config.json").doesNotContain("comparing");
  }
}
