package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Eventually;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code harmonica generate --count}: many pictures, broken off and taken up again. */
@Tag("triton")
class SeriesOnTritonTest {
  @TempDir static Path folder;

  private static Path repository;

  @TempDir Path own;

  @BeforeAll
  static void export() {
    repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, List.of(Exports.everyOther("r", model)), options).export(repository);
    }
  }

  private Invocation generate(String where, String place, Path out, String... more) {
    List<String> words = new ArrayList<>(List.of("generate", where, place, "--model", "dit"));
    words.addAll(List.of("--classes", "2,1", "--steps", "40", "--seed", "3"));
    words.addAll(List.of("--out", out.toString()));
    words.addAll(List.of(more));
    return Invocation.of(words.toArray(String[]::new));
  }

  private static Map<String, byte[]> content(Path folder) throws IOException {
    Map<String, byte[]> content = new TreeMap<>();
    if (Files.exists(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        for (Path file : files.toList()) {
          content.put(file.getFileName().toString(), Files.readAllBytes(file));
        }
      }
    }
    return content;
  }

  @Test
  void serverKilledInTheMiddle_leavesWholePictures_andTheNextRunMakesTheRest() throws Exception {
    Path out = own.resolve("out");
    String[] many = {"--count", "24", "--concurrency", "3", "--batch", "1"};
    int[] ports = TritonServer.freePorts(3);
    ExecutorService thread = Executors.newSingleThreadExecutor();
    try (TritonServer mortal = TritonServer.startAt(repository, ports)) {
      Future<Invocation> run =
          thread.submit(() -> generate("--triton", mortal.address(), out, many));
      Eventually.until(
          "some pictures",
          () -> {
            assertThat(run.isDone()).as("run ended early").isFalse();
            String[] names = out.toFile().list(); // some not yet whole
            return names != null && names.length >= 4;
          });
      mortal.kill();
      Invocation broken = run.get();
      assertThat(broken.code()).isEqualTo(1);
      assertThat(broken.err())
          .startsWith("error: Triton server " + mortal.address())
          .contains("of 24 pictures are in " + out + ": run it again to go on")
          .hasLineCount(1);
    } finally {
      thread.shutdown();
    }
    Map<String, byte[]> first = content(out);
    first.remove("run.json");
    assertThat(first)
        .hasSizeBetween(3, 23)
        .allSatisfy((name, bytes) -> assertThat(name).matches("00\\d\\d-class[12]\\.safetensors"));
    try (TritonServer again = TritonServer.startAt(repository, ports)) {
      String[] fewAtOnce = {"--count", "24", "--concurrency", "3", "--per-server", "1"};
      Invocation rest = generate("--triton", again.address(), out, fewAtOnce);
      assertThat(rest.code()).as(rest.err()).isZero();
      assertThat(rest.out())
          .startsWith(24 - first.size() + " pictures in ")
          .contains(first.size() + " were there");
      Map<String, byte[]> all = content(out);
      assertThat(all).hasSize(25).containsAllEntriesOf(first);
      Path here = own.resolve("here");
      assertThat(generate("--model-repository", repository.toString(), here, many).code()).isZero();
      assertThat(content(here).keySet()).isEqualTo(all.keySet());
      for (String name : all.keySet()) {
        if (!name.equals("run.json")) {
          Golden.assertClose(name, latents(out.resolve(name)), latents(here.resolve(name)), 1e-5);
        }
      }
    }
  }

  private static float[] latents(Path file) {
    try (Checkpoint result = Checkpoint.open(file)) {
      return result.tensor("latents").floats();
    }
  }

  @Test
  void picturesOfAnotherRun_areNotMixedWith() {
    Path out = own.resolve("out");
    String place = repository.toString();
    assertThat(generate("--model-repository", place, out, "--count", "2").code()).isZero();
    Invocation more = generate("--model-repository", place, out, "--count", "3");
    assertThat(more.out()).startsWith("1 picture in ").contains("2 were there");
    Invocation other =
        generate("--model-repository", place, out, "--count", "3", "--guidance", "3");
    assertThat(other.code()).isEqualTo(1);
    assertThat(other.err())
        .contains("holds pictures of another run (guidance is not stated there, \"3\" here)")
        .hasLineCount(1);
  }

  @Test
  void optionsWithoutEffect_areRefused() {
    Path out = own.resolve("out");
    String place = repository.toString();
    assertThat(generate("--model-repository", place, out, "--concurrency", "2").err())
        .contains("--concurrency has no effect without --count");
    assertThat(generate("--triton", "localhost:1", out, "--per-server", "2").err())
        .contains("--per-server has no effect without --count");
    assertThat(
            generate(
                    "--model-repository",
                    place,
                    out,
                    "--count",
                    "2",
                    "--save-latents",
                    "x.safetensors")
                .err())
        .contains("--count and --save-latents exclude each other");
    for (String option : List.of("--tls-ca", "--header-file", "--attempts", "--per-server")) {
      assertThat(generate("--model-repository", place, out, option, "1").err())
          .contains(option + " has no effect without --triton");
    }
    assertThat(out).doesNotExist();
  }

  @Test
  void tokenOnTheCommandLine_isNoOption() {
    Invocation invocation =
        generate("--triton", "localhost:1", own, "--header", "authorization: Bearer s3cr3t");
    assertThat(invocation.code()).isEqualTo(2);
  }
}
