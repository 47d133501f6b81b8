package io.harmonica.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.compare.TextTable;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Several routers of a model beside each other, the slowest first: what each saves, what it errs
 * by, what it keeps. Those that no other one beats in both speed and error are marked.
 */
record Frontier(List<Row> rows) {
  private static final JsonMapper MAPPER = JsonMapper.builder().build();

  /**
   * A router.
   *
   * @param realised measured speedup, where a report of {@code compare} has it
   * @param error of pictures that decided nothing, as its training noted it
   */
  record Row(Router router, Savings savings, Optional<Double> realised, Optional<Double> error) {
    static Row of(Router router, Savings savings, Map<String, Double> measured) {
      JsonNode error = router.training().path("unseenError");
      return new Row(
          router,
          savings,
          Optional.ofNullable(measured.get(router.name())),
          error.isNumber() ? Optional.of(error.asDouble()) : Optional.empty());
    }

    private double speedup() {
      return realised.orElse(savings.theoreticalSpeedup().orElse(1));
    }
  }

  Frontier {
    rows = rows.stream().sorted(Comparator.comparingDouble(Row::speedup)).toList();
  }

  /**
   * The speedups that a report measured, by router.
   *
   * @param report the JSON that {@code compare} wrote
   */
  static Map<String, Double> measured(Path report) {
    JsonNode root;
    try {
      root = MAPPER.readTree(Files.readAllBytes(report));
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read report %s: %s".formatted(report, AtomicFile.reason(e)), e);
    }
    Map<String, Double> measured = new HashMap<>();
    for (JsonNode variant : root.path("variants")) {
      JsonNode value = variant.path("speedup").path("value");
      if (value.isNumber()) {
        measured.put(variant.path("settings").path("router").asText(), value.asDouble());
      }
    }
    if (measured.isEmpty()) {
      throw new HarmonicaException(
          "report %s has no speedups of routers, expected the JSON that compare writes"
              .formatted(report));
    }
    return measured;
  }

  /** A line for each, aligned. */
  String text() {
    List<List<String>> cells = new ArrayList<>();
    cells.add(
        List.of(
            "", "router", "tier", "steps", "theoretical", "realised", "error", "cache a sample"));
    for (Row row : rows) {
      cells.add(
          List.of(
              isBeaten(row) ? "" : "*",
              row.router().name(),
              row.router().tier().orElse("-"),
              String.valueOf(row.router().steps()),
              row.savings().theoreticalSpeedup().stream()
                  .mapToObj(s -> String.format(Locale.ROOT, "%.2fx", s))
                  .findFirst()
                  .orElse("-"),
              row.realised().map(s -> String.format(Locale.ROOT, "%.2fx", s)).orElse("-"),
              row.error().map(e -> String.format(Locale.ROOT, "%.2e", e)).orElse("-"),
              row.savings().peakCacheBytesPerSample().stream()
                  .mapToObj(RouterCommands::bytes)
                  .findFirst()
                  .orElse("-")));
    }
    return TextTable.of(cells, 3);
  }

  /** Whether another one is as fast and errs less, or errs as little and is faster. */
  private boolean isBeaten(Row row) {
    return row.error().isEmpty()
        || rows.stream()
            .filter(other -> other != row && other.error().isPresent())
            .anyMatch(
                other ->
                    other.speedup() >= row.speedup()
                        && other.error().get() <= row.error().get()
                        && (other.speedup() > row.speedup()
                            || other.error().get() < row.error().get()));
  }
}
