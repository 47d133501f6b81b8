package io.harmonica.router;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Names for what the routers of a family are there for: {@code quality} for the slowest, {@code
 * fast} for the fastest, {@code balanced} for the one in the middle, {@code 2.0x} for others. A
 * router's {@code training} notes its own; wherever a router's name is expected, {@code tier:fast}
 * is one too.
 */
public final class Tiers {
  /** What a router's {@code training} calls it. */
  public static final String FIELD = "tier";

  private static final String PREFIX = FIELD + ":"; // no router's name has a colon

  private Tiers() {}

  /**
   * The names of a family.
   *
   * @param speedups theoretical ones, each once
   */
  public static Map<String, Double> of(List<Double> speedups) {
    List<Double> sorted = new ArrayList<>(speedups);
    Collections.sort(sorted);
    Map<String, Double> tiers = new LinkedHashMap<>();
    for (int i = 0; i < sorted.size(); i++) {
      String name =
          i == 0 && sorted.size() > 1
              ? "quality"
              : i == sorted.size() - 1 && i > 0
                  ? "fast"
                  : i == (sorted.size() - 1) / 2 ? "balanced" : sorted.get(i) + "x";
      if (tiers.put(name, sorted.get(i)) != null
          || i > 0 && sorted.get(i).equals(sorted.get(i - 1))) {
        throw new IllegalArgumentException("speedup %s is named twice".formatted(sorted.get(i)));
      }
    }
    return tiers;
  }

  /** What stands for the router of a tier where a router's name is expected. */
  public static String reference(String tier) {
    return PREFIX + tier;
  }

  /** The tier that such a name stands for; empty for a router's own name. */
  public static Optional<String> named(String reference) {
    return reference.startsWith(PREFIX)
        ? Optional.of(reference.substring(PREFIX.length()))
        : Optional.empty();
  }

  /** The tier that a router's {@code training} notes. */
  public static Optional<String> of(JsonNode training) {
    return Optional.of(training.path(FIELD).asText()).filter(tier -> !tier.isEmpty());
  }
}
