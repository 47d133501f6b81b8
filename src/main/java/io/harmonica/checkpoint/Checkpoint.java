package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Named tensors of a trained model, read lazily from mapped files.
 *
 * <p>The checkpoint owns the open files. The mappings themselves belong to the buffers that show
 * them: {@link #close} closes the files and forgets the mappings, and the JVM unmaps each one once
 * no buffer of it is reachable. The files must not be shortened or overwritten while open.
 */
public interface Checkpoint extends AutoCloseable {

  /**
   * Opens a diffusers folder ({@code config.json} beside one set of weights), or one file: {@code
   * .safetensors}, {@code .safetensors.index.json}, {@code .bin}, {@code .pt} or {@code .pth}. A
   * repository in Hugging Face's download cache leads to its snapshot, one shard to all. What
   * training puts before the names, as {@code module.}, is taken off.
   *
   * @throws io.harmonica.HarmonicaException if there are no weights, several sets of weights, or
   *     damaged ones
   */
  static Checkpoint open(Path path) {
    return Files.isDirectory(path)
        ? WeightsFolder.open(HubCache.snapshot(path))
        : WeightsFolder.openFile(path);
  }

  /** The folder or file that was opened, for messages. */
  Path path();

  /** The {@code config.json} beside the weights, where there is one; none for {@code .pt} files. */
  Optional<JsonNode> config();

  /**
   * The settings that a training script saved beside the weights, as {@code args}: strings,
   * numbers, booleans, lists and maps of these. Empty for all but torch files.
   */
  default Map<String, Object> settings() {
    return Map.of();
  }

  /** What its writer noted beside the tensors of a safetensors file; empty for all others. */
  default Map<String, String> metadata() {
    return Map.of();
  }

  /** The names of all tensors, in the order of the file, as the model's definition has them. */
  Set<String> names();

  /**
   * A tensor by its name.
   *
   * @throws io.harmonica.HarmonicaException if there is none of that name, or it takes 2 GiB or
   *     more
   */
  StoredTensor tensor(String name);

  /**
   * Those of its tensors whose names begin with this, without it, where a file holds several
   * models. Shows the same open files.
   */
  default Checkpoint part(String prefix) {
    return prefix.isEmpty() ? this : Unwrapped.part(this, prefix);
  }

  @Override
  void close();
}
