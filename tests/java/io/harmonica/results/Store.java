package io.harmonica.results;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Everything measured so far: a JSON object a line, appended as soon as it is known. */
final class Store {
  private static final JsonMapper JSON = new JsonMapper();

  private final Path file;
  private final Map<Measured.Key, Measured> cells = new HashMap<>();

  private Store(Path file) {
    this.file = file;
  }

  static Store open(Path file) {
    Store store = new Store(file);
    try {
      List<String> lines = Files.exists(file) ? Files.readAllLines(file) : List.of();
      for (int i = 0; i < lines.size(); i++) {
        store.put(parse(lines.get(i), file, i + 1));
      }
      return store;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Optional<Measured> find(Measured.Key key) {
    return Optional.ofNullable(cells.get(key));
  }

  void add(Measured measured) {
    put(measured);
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(
          file,
          JSON.writeValueAsString(measured) + "\n",
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void put(Measured measured) {
    cells.put(measured.key(), measured);
  }

  private static Measured parse(String line, Path file, int number) {
    try {
      return JSON.readValue(line, Measured.class);
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "line %d of %s is no measured cell: %s; delete that line"
              .formatted(number, file, e.getOriginalMessage()),
          e);
    }
  }
}
