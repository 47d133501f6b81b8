package io.harmonica.router;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.Timesteps;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/** Routers for tests. */
final class Routers {
  private Routers() {}

  /** Branch names of a transformer with attention and MLP in each block. */
  static List<String> branches(int blocks) {
    return IntStream.range(0, 2 * blocks)
        .mapToObj(b -> "block%02d.%s".formatted(b / 2, b % 2 == 0 ? "attention" : "mlp"))
        .toList();
  }

  /** DDIM's leading timesteps. */
  static Timesteps timesteps(int steps) {
    return Timesteps.of(
        IntStream.range(0, steps).map(s -> (steps - 1 - s) * (1000 / steps)).boxed().toList());
  }

  /** A router whose row s computes where {@code rows[s]} has an {@code x}. */
  static Router of(Reuse reuse, String... rows) {
    double[][] scores = new double[rows.length][];
    for (int s = 0; s < rows.length; s++) {
      scores[s] = rows[s].chars().mapToDouble(c -> c == 'x' ? 1 : 0).toArray();
    }
    return of(reuse, scores);
  }

  static Router of(Reuse reuse, double[][] scores) {
    return of(reuse, 0.5, scores);
  }

  static Router of(Reuse reuse, double threshold, double[][] scores) {
    List<String> branches = IntStream.range(0, scores[0].length).mapToObj(b -> "b" + b).toList();
    return new Router(
        "test",
        "model",
        "ddim",
        scores.length,
        timesteps(scores.length),
        threshold,
        branches,
        scores,
        reuse,
        JsonNodeFactory.instance.objectNode());
  }

  /** The same columns with runs behind them: a row's last characters are theirs. */
  static Router withRuns(Reuse reuse, List<Run> runs, String... rows) {
    double[][] scores = new double[rows.length][];
    for (int s = 0; s < rows.length; s++) {
      scores[s] = rows[s].chars().mapToDouble(c -> c == 'x' ? 1 : 0).toArray();
    }
    return new Router(
        "test",
        "model",
        "ddim",
        rows.length,
        timesteps(rows.length),
        0.5,
        branches((scores[0].length - runs.size()) / 2),
        runs,
        scores,
        reuse,
        JsonNodeFactory.instance.objectNode());
  }

  /** A router with random size, scores and kind of reuse, weights included. */
  static Router random(long seed) {
    var random = new Random(seed);
    double[][] scores = new double[1 + random.nextInt(14)][1 + random.nextInt(6)];
    double density = random.nextDouble();
    for (double[] row : scores) {
      for (int b = 0; b < row.length; b++) {
        row[b] = row == scores[0] || random.nextDouble() < density ? 1 : random.nextDouble() / 2;
      }
    }
    return of(
        switch (random.nextInt(4)) {
          case 0 -> Reuse.LAST;
          case 1 -> Reuse.LINEAR;
          case 2 -> Reuse.QUADRATIC;
          default -> weights(random, scores);
        },
        scores);
  }

  private static Reuse weights(Random random, double[][] scores) {
    var values = new double[scores.length][scores[0].length][];
    for (int b = 0; b < scores[0].length; b++) {
      int computed = 0;
      for (int s = 0; s < scores.length; s++) {
        computed += scores[s][b] > 0.5 ? 1 : 0;
        int history = 1 + random.nextInt(Math.min(3, computed));
        values[s][b] = new double[3];
        for (int k = 0; k < history; k++) {
          values[s][b][k] = history == 1 ? 1 : 0.1 + random.nextGaussian();
        }
      }
    }
    return new Reuse.Weights(values);
  }
}
