package io.harmonica.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.router.Savings;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** The JSON-lines log: a line an iteration, a refresh of lambda, a round of the exchange. */
final class TrainingLog {
  static final String ITERATION = "iteration";
  private static final String EXCHANGE = "exchange";

  private static final ObjectMapper JSON = new ObjectMapper();
  private final Path file;
  private final List<ObjectNode> lines;

  private TrainingLog(Path file, List<ObjectNode> lines) {
    this.file = file;
    this.lines = lines;
  }

  /** Begins a log, or goes on with one: lines of what comes after the state are of work to redo. */
  static TrainingLog open(Path file, State state) {
    int rounds = state.exchanged() == null ? 0 : state.exchanged().rounds();
    var kept = new ArrayList<ObjectNode>();
    try {
      if (state.iterations() + rounds > 0 && Files.exists(file)) {
        for (String line : Files.readAllLines(file)) {
          if (JSON.readTree(line) instanceof ObjectNode json
              && (json.path(ITERATION).asInt(Integer.MAX_VALUE) < state.iterations()
                  || json.path(EXCHANGE).asInt(Integer.MAX_VALUE) < rounds)) {
            kept.add(json);
          }
        }
      }
    } catch (JsonProcessingException e) {
      // A line cut short by a crash: what came before it stays.
    } catch (IOException e) {
      throw unwritable(file, e);
    }
    var text = new StringBuilder();
    kept.forEach(line -> text.append(line).append('\n'));
    AtomicFile.write(file, text.toString().getBytes(StandardCharsets.UTF_8));
    return new TrainingLog(file, kept);
  }

  /** An iteration's losses, summed over its steps, and what the table saves after it. */
  void iteration(
      int iteration, double loss, double mse, Savings savings, double beta, double seconds) {
    ObjectNode line = JSON.createObjectNode().put(ITERATION, iteration);
    line.put("loss", loss).put("mse", mse).put("cur", savings.cur());
    savings.theoreticalSpeedup().ifPresent(speedup -> line.put("speedup", speedup));
    add(line.put("beta", beta).put("seconds", seconds));
  }

  /** A refresh of lambda, before an iteration. */
  void lambda(int iteration, float[] lambda) {
    ObjectNode line = JSON.createObjectNode().put(ITERATION, iteration);
    for (float value : lambda) {
      line.withArray("lambda").add(value);
    }
    add(line);
  }

  /** A round of the exchange, and the exact error that it reached. */
  void exchange(int round, double error, double seconds) {
    add(JSON.createObjectNode().put(EXCHANGE, round).put("error", error).put("seconds", seconds));
  }

  private void add(ObjectNode line) {
    lines.add(line);
    try {
      Files.writeString(file, line + "\n", StandardOpenOption.APPEND, StandardOpenOption.CREATE);
    } catch (IOException e) {
      throw unwritable(file, e);
    }
  }

  /** Ends a log of a run that left nothing to go on from. */
  void discard(RuntimeException fault) {
    try {
      Files.deleteIfExists(file);
    } catch (IOException e) {
      fault.addSuppressed(e); // the fault itself matters more
    }
  }

  /** All lines that have a field, as [iteration, value]. */
  List<double[]> series(String field) {
    return lines.stream()
        .filter(line -> line.path(field).isNumber())
        .map(line -> new double[] {line.path(ITERATION).asInt(), line.path(field).asDouble()})
        .toList();
  }

  /** The last lambdas that were logged, by step; empty where there are none. */
  List<Double> lastLambda() {
    List<Double> last = new ArrayList<>();
    for (ObjectNode line : lines) {
      if (line.path("lambda").isArray()) {
        last.clear();
        for (JsonNode value : line.path("lambda")) {
          last.add(value.asDouble());
        }
      }
    }
    return last;
  }

  private static HarmonicaException unwritable(Path file, IOException e) {
    return new HarmonicaException(
        "cannot write %s: %s; free space there, or resume with another `out`"
            .formatted(file, AtomicFile.reason(e)),
        e);
  }
}
