package io.harmonica.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Strict JSON: no duplicate keys, nothing after the value. */
final class JsonFile {
  /** Reads bytes as UTF-8, so that faults have a byte offset. */
  static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(FACTORY).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private static final long LARGEST_BYTES = 16 << 20;

  private JsonFile() {}

  /** The object in a file such as {@code config.json}. */
  static JsonNode readObject(Path path) {
    try {
      long size = Files.size(path);
      if (size > LARGEST_BYTES) {
        throw new HarmonicaException(
            "%s has %d bytes, expected a JSON file of at most %d: check the path"
                .formatted(path, size, LARGEST_BYTES));
      }
      JsonNode node = MAPPER.readTree(Files.readAllBytes(path));
      if (!node.isObject()) {
        throw Messages.damaged(path, "expected a JSON object, found " + node.getNodeType());
      }
      return node;
    } catch (JsonProcessingException e) {
      throw notJson(path, 0, e);
    } catch (IOException e) {
      throw Messages.unreadable(path, e);
    }
  }

  /**
   * What is wrong with the JSON of a file, and where.
   *
   * @param start the byte of the file at which the JSON starts
   */
  static HarmonicaException notJson(Path path, long start, JsonProcessingException e) {
    long offset = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
    return Messages.damaged(
        path,
        "invalid JSON%s: %s"
            .formatted(
                offset < 0 ? "" : " near byte " + (start + offset),
                Messages.printable(String.valueOf(e.getOriginalMessage()))),
        e);
  }
}
