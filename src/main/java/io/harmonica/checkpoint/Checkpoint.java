package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Named tensors of a trained model, read lazily from mapped files. */
public interface Checkpoint extends AutoCloseable {

  /** The folder or file that was opened, for messages. */
  Path path();

  /** The {@code config.json} beside the weights, where there is one. */
  Optional<JsonNode> config();

  Set<String> names();

  /** A tensor by its name in the file. */
  StoredTensor tensor(String name);

  @Override
  void close();
}
