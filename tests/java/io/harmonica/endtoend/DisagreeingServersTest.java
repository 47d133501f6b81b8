package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.cli.Invocation;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Two real servers under one {@code --triton} that do not serve the same. */
@Tag("triton")
class DisagreeingServersTest {
  @TempDir static Path folder;

  private static TritonServer first;
  private static TritonServer second;

  @TempDir Path own;

  /** The second has other manifests, and the base ensemble {@code newer} in another version. */
  @BeforeAll
  static void serve() throws Exception {
    Path one = export(folder.resolve("first"));
    Path other = export(folder.resolve("second"));
    String manifest =
        ConfigFile.read(one.resolve("dit")).getParametersOrThrow(Manifest.KEY).getStringValue();
    for (String base : List.of("weights", "noise", "lacking", "another", "newer")) {
      addBase(one, base, manifest);
    }
    addBase(other, "weights", manifest.replaceFirst("\"digest\":\"....", "\"digest\":\"beef"));
    addBase(other, "noise", manifest.replaceFirst("\"betaEnd\":[0-9.]+", "\"betaEnd\":0.5"));
    addBase(other, "lacking", manifest.replaceFirst("\"routers\":.*", "\"routers\":{}}"));
    addBase(other, "another", manifest.replaceFirst("\"threshold\":0.5", "\"threshold\":0.25"));
    addBase(other, "newer", manifest);
    Files.move(other.resolve("newer/1"), other.resolve("newer/2"));
    first = TritonServer.start(one);
    second = TritonServer.start(other);
  }

  @AfterAll
  static void stop() {
    for (TritonServer server : new TritonServer[] {first, second}) {
      if (server != null) {
        server.close();
      }
    }
  }

  private static Path export(Path to) {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, List.of(Exports.everyOther("r", model)), options)
          .withDigest(Digest.of(checkpoint))
          .export(to);
      return to;
    }
  }

  /** Adds a base ensemble on the same engines with a manifest of its own. */
  private static void addBase(Path repository, String name, String manifest) throws IOException {
    ModelConfig config =
        ConfigFile.read(repository.resolve("dit")).toBuilder()
            .setName(name)
            .putParameters(
                Manifest.KEY, ModelParameter.newBuilder().setStringValue(manifest).build())
            .build();
    Files.createDirectories(repository.resolve(name).resolve("1"));
    Files.writeString(repository.resolve(name).resolve(ConfigFile.NAME), ConfigFile.print(config));
  }

  private Invocation generate(String model) {
    return Invocation.of(
        "generate",
        "--triton",
        first.address() + "," + second.address(),
        "--model",
        model,
        "--steps",
        "2",
        "--classes",
        "1",
        "--out",
        own.resolve("out").toString());
  }

  @Test
  void serversThatAgree_draw() {
    assertThat(generate("dit").code()).isZero();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          weights | digest of the weights: [0-9a-f]{8,} at FIRST, beef[0-9a-f]+ at SECOND
          noise   | configuration: that at FIRST is another than at SECOND
          lacking | router r: one at FIRST, none at SECOND
          another | router r: one at FIRST, another at SECOND
          newer   | version of newer: 1 at FIRST, 2 at SECOND
          """)
  void serversThatDisagree_areRefused_withBothNamed(String model, String said) {
    Invocation refused = generate(model);
    assertThat(refused.code()).isEqualTo(1);
    assertThat(refused.err())
        .hasLineCount(1)
        .matches(
            "error: Triton servers FIRST and SECOND disagree about model '%s' \\(%s\\): serve the same export from both\n"
                .formatted(model, said)
                .replace("FIRST", first.address())
                .replace("SECOND", second.address()));
    assertThat(own).as("nothing half-written").isEmptyDirectory();
  }
}
