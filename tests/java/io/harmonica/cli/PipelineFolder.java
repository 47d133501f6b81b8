package io.harmonica.cli;

import io.harmonica.Checkpoints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

/** A whole diffusers pipeline for tests: a PixArt of the golden vectors and what goes with it. */
public record PipelineFolder(Path path) {
  private static final Path VAE = Path.of("tests/golden/vae");
  private static final Path T5 = Path.of("tests/golden/t5");

  /** 24, as wide as the golden text encoder's output. */
  private static final int TEXT_WIDTH = 24;

  public static PipelineFolder in(Path path) {
    Checkpoints.pixArt(path.resolve("transformer"), TEXT_WIDTH);
    Checkpoints.diffusers(path.resolve("vae"), Checkpoints.config(VAE), Checkpoints.tensors(VAE));
    copy(T5.resolve("sharded"), path.resolve("text_encoder"));
    copy(T5.resolve("tokenizer"), path.resolve("tokenizer"));
    PipelineFolder folder = new PipelineFolder(path);
    folder.write("model_index.json", "{\"_class_name\": \"PixArtAlphaPipeline\"}");
    return folder;
  }

  /** With a {@code scheduler_config.json} of these fields, single quotes for double ones. */
  PipelineFolder withScheduler(String fields) {
    return write("scheduler/scheduler_config.json", "{" + fields.replace('\'', '"') + "}");
  }

  PipelineFolder without(String part) {
    try (Stream<Path> files = Files.walk(path.resolve(part))) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  PipelineFolder write(String file, String text) {
    try {
      Files.createDirectories(path.resolve(file).getParent());
      Files.writeString(path.resolve(file), text);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void copy(Path from, Path to) {
    try (Stream<Path> files = Files.list(from)) {
      Files.createDirectories(to);
      List<Path> all = files.toList();
      for (Path file : all) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
