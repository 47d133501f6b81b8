package io.harmonica.router;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.checkpoint.TorchFile;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Reads the scores out of other projects' trained routers: {@code .pt} and {@code .pth} files with
 * a row of logits {@code "i.prob"} for each step.
 */
public enum TorchRouters {
  /**
   * HarmoniCa (ModelTC/HarmoniCa): a dictionary {@code routers}, every row used; that of the
   * noisiest step is fixed at 5.
   */
  HARMONICA,

  /**
   * Learning-to-Cache (horseee/learning-to-cache): for DiT a dictionary {@code routers}, of which
   * every second row is used; for U-ViT the rows alone.
   */
  LEARNING_TO_CACHE;

  /** Keys of a foreign file that an error lists. */
  private static final int SHOWN = 3;

  /** Rounds scores to what a reader of the file can tell apart. */
  private static final double DECIMALS = 1e6;

  private static final String ROUTERS = "routers";

  /**
   * A table as a file has it.
   *
   * @param scores {@code [steps][branches]} in execution order: the sigmoid of each logit
   * @param threshold that they are compared to
   * @param sampler the only one that the file's rows are for; empty where the file does not tell
   */
  public record Table(double[][] scores, double threshold, Optional<String> sampler) {}

  /** What a file's rows mean; steps without a row compute everything. */
  private enum Rows {
    /** Row i is step {@code steps - 1 - i}. */
    BACKWARDS(0.1) {
      @Override
      OptionalInt step(int row, int rows) {
        return OptionalInt.of(rows - 1 - row);
      }
    },

    /** The same, but only even rows are trained; at odd ones the cache is cleared. */
    EVEN_BACKWARDS(0.1) {
      @Override
      OptionalInt step(int row, int rows) {
        return row % 2 == 0 ? BACKWARDS.step(row, rows) : OptionalInt.empty();
      }
    },

    /**
     * Row i is update i of DPM-Solver-2, at its first evaluation, step 2 i. The first update has
     * nothing to reuse; there are half as many updates as rows, so that the other half is untouched
     * noise.
     */
    UPDATES(0.9) {
      @Override
      OptionalInt step(int row, int rows) {
        return row > 0 && row < rows / 2 ? OptionalInt.of(2 * row) : OptionalInt.empty();
      }
    };

    /** What the projects' own instructions compare with. */
    final double threshold;

    Rows(double threshold) {
      this.threshold = threshold;
    }

    /** The step that a row speaks of; empty where it counts for nothing. */
    abstract OptionalInt step(int row, int rows);

    Optional<String> sampler() {
      return this == UPDATES ? Optional.of("dpm-solver-2") : Optional.empty();
    }
  }

  /** The name that the command line knows it by. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads a file.
   *
   * @param branches of the model that the router was trained for
   * @param stated threshold; else the one that the file's project uses. Rounding does not move a
   *     score across it
   */
  public Table read(Path path, int branches, OptionalDouble stated) {
    try (TorchFile file = TorchFile.open(path)) {
      Rows kind = kind(path, file.root());
      Map<?, ?> saved = (Map<?, ?>) file.root();
      Map<?, ?> rows = kind == Rows.UPDATES ? saved : (Map<?, ?>) saved.get(ROUTERS);
      if (kind != Rows.BACKWARDS && rows.size() % 2 == 1) {
        throw new HarmonicaException(
            "%s has %d steps, expected an even number: Learning-to-Cache routes every second step%s"
                .formatted(
                    path, rows.size(), kind == Rows.UPDATES ? "" : "; try `format` " + HARMONICA));
      }
      double threshold = stated.orElse(kind.threshold);
      double[][] scores = new double[rows.size()][branches];
      Arrays.stream(scores).forEach(row -> Arrays.fill(row, 1));
      for (int i = 0; i < scores.length; i++) {
        float[] logits = logits(path, rows, i, branches);
        int step = kind.step(i, scores.length).orElse(-1);
        for (int b = 0; step >= 0 && b < branches; b++) {
          scores[step][b] = score(logits[b], threshold);
        }
      }
      return new Table(scores, threshold, kind.sampler());
    }
  }

  private Rows kind(Path path, Object root) {
    Map<?, ?> saved = root instanceof Map<?, ?> map ? map : Map.of();
    if (saved.get(ROUTERS) instanceof Map<?, ?> rows && !rows.isEmpty()) {
      return this == HARMONICA ? Rows.BACKWARDS : Rows.EVEN_BACKWARDS;
    }
    boolean bare = saved.containsKey("0.prob");
    if (bare && this == LEARNING_TO_CACHE) {
      return Rows.UPDATES;
    }
    throw new HarmonicaException(
        "%s holds no dictionary '%s', expected a router of %s; found %s%s"
            .formatted(
                path,
                ROUTERS,
                this,
                root instanceof Map<?, ?> map ? some(map) : "no dictionary",
                bare ? ", as of U-ViT: use `format` " + LEARNING_TO_CACHE : ""));
  }

  private static String some(Map<?, ?> map) {
    List<String> keys = map.keySet().stream().limit(SHOWN).map(String::valueOf).toList();
    return map.size() > SHOWN ? "%s and %d more".formatted(keys, map.size() - SHOWN) : "" + keys;
  }

  private static float[] logits(Path path, Map<?, ?> rows, int i, int branches) {
    String key = i + ".prob";
    if (!(rows.get(key) instanceof StoredTensor tensor)) {
      throw new HarmonicaException(
          "%s: a router of %d entries has no tensor '%s', expected 0.prob to %d.prob"
              .formatted(path, rows.size(), key, rows.size() - 1));
    }
    if (!tensor.shape().equals(List.of((long) branches))) {
      throw new HarmonicaException(
          "%s: tensor '%s' has shape %s, expected [%d], one for each branch: it was trained for another depth"
              .formatted(path, key, tensor.shape(), branches));
    }
    float[] logits = tensor.floats();
    for (int b = 0; b < branches; b++) {
      if (!Float.isFinite(logits[b])) {
        throw new HarmonicaException(
            "%s: tensor '%s' holds %s at branch %d, expected finite logits"
                .formatted(path, key, logits[b], b));
      }
    }
    return logits;
  }

  private static double score(double logit, double threshold) {
    double exact = 1 / (1 + Math.exp(-logit));
    double rounded = Math.rint(exact * DECIMALS) / DECIMALS;
    return rounded > threshold == exact > threshold ? rounded : exact;
  }
}
