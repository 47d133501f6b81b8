package io.harmonica.model;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Which branches make the streams that blocks hand on beside the hidden state, and which is the
 * last that needs them. For example a U-ViT's {@code skip00=1:10}: made by branch 1, and needed by
 * the block of branch 10.
 */
public record StreamLives(Map<String, Life> streams) {

  /**
   * Of one stream.
   *
   * @param made indices of the branches that hand on a new one; -1 stands for what comes before
   *     them
   * @param lastRead index of the last branch that needs it, itself or its block; behind all for the
   *     head
   */
  public record Life(List<Integer> made, int lastRead) {}

  public StreamLives {
    streams = new LinkedHashMap<>(streams);
  }

  /** Of a model. */
  public static StreamLives of(Denoiser model) {
    Map<String, Life> lives = Shapes.streams(model);
    lives.remove(Streams.HIDDEN);
    return new StreamLives(lives);
  }

  /** Whether there is the hidden state alone. */
  public boolean isEmpty() {
    return streams.isEmpty();
  }

  /** As a configuration has it; empty where there is the hidden state alone. */
  @Override
  public String toString() {
    return streams.entrySet().stream()
        .map(
            stream ->
                "%s=%s:%d"
                    .formatted(
                        stream.getKey(),
                        stream.getValue().made().stream()
                            .map(String::valueOf)
                            .collect(Collectors.joining("+")),
                        stream.getValue().lastRead()))
        .collect(Collectors.joining(","));
  }

  /** As a configuration has it. */
  public static StreamLives parse(String text) {
    Map<String, Life> streams = new LinkedHashMap<>();
    for (String stream : text.isEmpty() ? List.<String>of() : List.of(text.split(","))) {
      String[] parts = stream.split("[=:]");
      List<Integer> made = Arrays.stream(parts[1].split("\\+")).map(Integer::valueOf).toList();
      streams.put(parts[0], new Life(made, Integer.parseInt(parts[2])));
    }
    return new StreamLives(streams);
  }

  /**
   * A stream that branches change.
   *
   * @param isNew whether there is none of that name before them
   */
  public record Stream(String name, boolean isNew) {

    /**
     * What engines without weights call streams, so that one serves all runs that differ in their
     * numbers only: {@code hidden, skip03, skip04} are {@code hidden, skip.0, skip.1}.
     */
    public static List<Stream> shared(List<Stream> streams) {
      Map<String, Integer> counts = new HashMap<>();
      List<Stream> shared = new ArrayList<>();
      for (Stream stream : streams) {
        String kind = stream.name.replaceFirst("\\d+$", "");
        shared.add(
            kind.equals(stream.name)
                ? stream
                : new Stream(kind + "." + (counts.merge(kind, 1, Integer::sum) - 1), stream.isNew));
      }
      return shared;
    }
  }

  /** What branches change: the hidden state, and other streams that anything behind them needs. */
  public List<Stream> changed(int first, int last) {
    List<Stream> changed = new ArrayList<>();
    changed.add(new Stream(Streams.HIDDEN, false));
    streams.forEach(
        (name, life) -> {
          boolean isMade = life.made().stream().anyMatch(made -> first <= made && made <= last);
          if (isMade && life.lastRead() > last) {
            boolean isNew = life.made().stream().noneMatch(made -> made < first);
            changed.add(new Stream(name, isNew));
          }
        });
    return changed;
  }
}
