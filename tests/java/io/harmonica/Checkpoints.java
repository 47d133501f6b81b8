package io.harmonica;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Safetensors;
import io.harmonica.checkpoint.Safetensors.Floats;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Real checkpoints for tests, and changed copies of them. */
public final class Checkpoints {
  /** Three blocks, 32 wide, in diffusers' layout. */
  public static final Path DIT = Path.of("tests/golden/dit");

  /** The same in facebook's. */
  public static final Path DIT_FACEBOOK = Path.of("tests/golden/dit-facebook/model.pt");

  /** The shipped example. */
  public static final Path SHAPES = Path.of("export/shapes-dit");

  private static final ObjectMapper JSON = new ObjectMapper();

  private Checkpoints() {}

  public static Map<String, Floats> tensors(Path checkpoint) {
    Map<String, Floats> tensors = new LinkedHashMap<>();
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      for (String name : source.names()) {
        tensors.put(name, new Floats(source.tensor(name).shape(), source.tensor(name).floats()));
      }
    }
    return tensors;
  }

  public static ObjectNode config(Path checkpoint) {
    try {
      return (ObjectNode) JSON.readTree(checkpoint.resolve("config.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a folder in diffusers' layout. */
  public static Path diffusers(Path folder, ObjectNode config, Map<String, Floats> tensors) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), config.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Safetensors.write(folder.resolve("diffusion_pytorch_model.safetensors"), tensors);
    return folder;
  }

  /** Writes a file without a configuration, which makes it one of facebook's. */
  public static Path facebook(Path folder, Map<String, Floats> tensors) {
    Path file = folder.resolve("model.safetensors");
    Safetensors.write(file, tensors);
    return file;
  }
}
