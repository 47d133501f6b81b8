package io.harmonica.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * All that a training run is between two iterations. Random numbers need no state: every
 * iteration's follow from the seed and its number.
 *
 * @param checkpoint digest of the model's weights
 * @param settings what {@link TrainOptions#describe} said
 * @param iterations done so far
 * @param lambda weight of each step's error
 * @param exchanged what the exchange after the last iteration has come to; null before its first
 *     round
 * @param seconds spent on them so far
 */
record State(
    String format,
    String checkpoint,
    ObjectNode settings,
    int iterations,
    Table table,
    Steering.State steering,
    float[] lambda,
    Exchanged exchanged,
    double seconds) {

  /**
   * A table after some rounds of exchange.
   *
   * @param over whether the last of them found nothing
   * @param seconds spent so far, training included
   */
  record Exchanged(boolean[][] computes, int rounds, boolean over, double seconds) {}

  static final String FORMAT = "harmonica-training/2";
  private static final JsonMapper MAPPER =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  State withExchanged(Exchanged other) {
    return new State(
        format, checkpoint, settings, iterations, table, steering, lambda, other, seconds);
  }

  /** Whether nothing is done yet that could be gone on from. */
  boolean isFresh() {
    return iterations == 0 && exchanged == null;
  }

  /** Spent so far, on the exchange too. */
  double allSeconds() {
    return exchanged == null ? seconds : exchanged.seconds();
  }

  double learningRate() {
    return settings.path(TrainOptions.LEARNING_RATE).asDouble();
  }

  void write(Path file) {
    try {
      AtomicFile.write(file, MAPPER.writeValueAsBytes(this));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads a state and refuses one that this run cannot go on from. */
  static State read(Path file, String checkpoint, ObjectNode settings, int columns, int weights) {
    State state;
    try {
      state = MAPPER.readValue(Files.readAllBytes(file), State.class);
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "`resume` %s is no state of a training run: name the .state.json file that train wrote"
              .formatted(file),
          e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read `resume` %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
    if (!FORMAT.equals(state.format)) {
      throw new HarmonicaException(
          "`resume` %s has format %s, expected %s".formatted(file, state.format, FORMAT));
    }
    if (!checkpoint.equals(state.checkpoint)) {
      throw new HarmonicaException(
          "`resume` %s is of a checkpoint with digest %s, this one has %s: resume with that checkpoint"
              .formatted(file, state.checkpoint, checkpoint));
    }
    int steps = settings.path("steps").asInt();
    if (state.settings == null) {
      throw state.damaged(file, steps, columns);
    }
    requireSame(file, state.settings, settings);
    state.requireWhole(file, steps, columns, weights);
    return state;
  }

  private static void requireSame(Path file, ObjectNode was, ObjectNode is) {
    for (JsonNode side : List.of(was, is)) {
      for (Map.Entry<String, JsonNode> field : side.properties()) {
        String name = field.getKey();
        if (name.equals(TrainOptions.LEARNING_RATE)
            && is.path(name).asDouble() <= was.path(name).asDouble()) {
          continue;
        }
        String then = was.path(name).asText("absent");
        String now = is.path(name).asText("absent");
        if (!then.equals(now)) {
          throw new HarmonicaException(
              "`resume` %s was trained with %s %s, not %s: give the same options"
                  .formatted(file, name, then, now));
        }
      }
    }
  }

  private static boolean fits(boolean[][] table, int steps, int columns) {
    return table != null
        && table.length == steps
        && Arrays.stream(table).allMatch(row -> row != null && row.length == columns);
  }

  private void requireWhole(Path file, int steps, int columns, int weights) {
    boolean whole =
        iterations >= 0
            && table != null
            && steering != null
            && lambda != null
            && lambda.length == steps
            && table.fits(steps, columns, weights)
            && steering.savings().length == steps
            && (exchanged == null || fits(exchanged.computes(), steps, columns));
    if (!whole) {
      throw damaged(file, steps, columns);
    }
  }

  private HarmonicaException damaged(Path file, int steps, int columns) {
    return new HarmonicaException(
        "`resume` %s is damaged: it does not hold settings and tables of %d steps and %d columns; train anew"
            .formatted(file, steps, columns));
  }
}
