package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the parts of a model lie: alone, or in the folders of a diffusers pipeline.
 *
 * @param model the transformer: a folder, or a file
 * @param vae its autoencoder, where one lies beside it
 * @param scheduler the file that says what it is sampled with
 * @param textEncoder what embeds its texts
 * @param tokenizer the folder of what cuts them into tokens
 */
record CheckpointParts(
    Path model,
    Optional<Path> vae,
    Optional<Path> scheduler,
    Optional<Path> textEncoder,
    Optional<Path> tokenizer) {
  private static final String TRANSFORMER = "transformer";
  private static final String INDEX = "model_index.json";

  /** Of a pipeline's folder, of the transformer in it, or of anything else. */
  static CheckpointParts of(Path checkpoint) {
    if (Files.isDirectory(checkpoint.resolve(TRANSFORMER))) {
      return in(checkpoint, checkpoint.resolve(TRANSFORMER));
    }
    if (Files.exists(checkpoint.resolve(INDEX))) {
      throw new HarmonicaException(
          "%s is a pipeline by its %s, but has no folder %s: give one with a diffusion transformer, as those of DiT and PixArt are"
              .formatted(checkpoint, INDEX, TRANSFORMER));
    }
    Path normal = checkpoint.toAbsolutePath().normalize();
    boolean part =
        normal.endsWith(TRANSFORMER) && Files.isDirectory(normal) && normal.getParent() != null;
    return part
        ? in(normal.getParent(), checkpoint)
        : new CheckpointParts(
            checkpoint, Optional.empty(), Optional.empty(), Optional.empty(), Optional.empty());
  }

  private static CheckpointParts in(Path pipeline, Path transformer) {
    return new CheckpointParts(
        transformer,
        folder(pipeline, "vae"),
        Optional.of(pipeline.resolve("scheduler/scheduler_config.json")).filter(Files::exists),
        folder(pipeline, "text_encoder"),
        folder(pipeline, "tokenizer"));
  }

  /** The tokenizer in the pipeline of a text encoder. */
  static Optional<Path> tokenizerBeside(Path textEncoder) {
    return folder(textEncoder.toAbsolutePath().normalize().getParent(), "tokenizer");
  }

  private static Optional<Path> folder(Path pipeline, String part) {
    return Optional.of(pipeline.resolve(part)).filter(Files::isDirectory);
  }
}
