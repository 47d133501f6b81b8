package io.harmonica.cli;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Where the parts of a model lie: alone, or in the folders of a diffusers pipeline.
 *
 * @param model the transformer: a folder, or a file
 * @param vae its autoencoder, where one lies beside it
 */
record CheckpointParts(Path model, Optional<Path> vae) {
  private static final String TRANSFORMER = "transformer";

  /** Of a pipeline's folder, of the transformer in it, or of anything else. */
  static CheckpointParts of(Path checkpoint) {
    if (Files.isDirectory(checkpoint.resolve(TRANSFORMER))) {
      return in(checkpoint);
    }
    Path normal = checkpoint.toAbsolutePath().normalize();
    boolean part =
        normal.endsWith(TRANSFORMER) && Files.isDirectory(normal) && normal.getParent() != null;
    return part
        ? new CheckpointParts(checkpoint, in(normal.getParent()).vae)
        : new CheckpointParts(checkpoint, Optional.empty());
  }

  private static CheckpointParts in(Path pipeline) {
    Optional<Path> vae = Optional.of(pipeline.resolve("vae")).filter(Files::isDirectory);
    return new CheckpointParts(pipeline.resolve(TRANSFORMER), vae);
  }
}
