package io.harmonica.router;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.checkpoint.TorchFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads the scores out of other projects' trained routers: {@code .pt} files with a dictionary
 * {@code routers} of one row of logits {@code "i.prob"} a step, where row i is step {@code steps -
 * 1 - i}.
 */
public enum TorchRouters {
  /** HarmoniCa (ModelTC/HarmoniCa): every row is used; that of the noisiest step is fixed at 5. */
  HARMONICA,

  /**
   * Learning-to-Cache (horseee/learning-to-cache): only even rows are trained; at odd ones the
   * cache is cleared and everything is computed, so their untouched logits do not count.
   */
  LEARNING_TO_CACHE;

  /** Keys of a foreign file that an error lists. */
  private static final int SHOWN = 3;

  /** Rounds scores to what a reader of the file can tell apart. */
  private static final double DECIMALS = 1e6;

  /** The name that the command line knows it by. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /**
   * Reads the table {@code [steps][branches]} in execution order: the sigmoid of each logit.
   *
   * @param branches of the model that the router was trained for
   * @param threshold that the scores will be compared to; rounding does not move a score across it
   */
  public double[][] scores(Path path, int branches, double threshold) {
    try (TorchFile file = TorchFile.open(path)) {
      Map<?, ?> rows = rows(path, file.root());
      var scores = new double[rows.size()][];
      for (int i = 0; i < scores.length; i++) {
        float[] logits = logits(path, rows, i, branches);
        boolean ignored = this == LEARNING_TO_CACHE && i % 2 == 1;
        int step = scores.length - 1 - i;
        scores[step] = new double[branches];
        for (int b = 0; b < branches; b++) {
          scores[step][b] = ignored ? 1 : score(logits[b], threshold);
        }
      }
      return scores;
    }
  }

  private Map<?, ?> rows(Path path, Object root) {
    if (!(root instanceof Map<?, ?> saved
        && saved.get("routers") instanceof Map<?, ?> rows
        && !rows.isEmpty())) {
      throw new HarmonicaException(
          "%s holds no dictionary 'routers', expected a router of %s; found %s"
              .formatted(path, this, root instanceof Map<?, ?> map ? some(map) : "no dictionary"));
    }
    if (this == LEARNING_TO_CACHE && rows.size() % 2 == 1) {
      throw new HarmonicaException(
          "%s has %d steps, expected an even number: Learning-to-Cache routes every second step; try `format` %s"
              .formatted(path, rows.size(), HARMONICA));
    }
    return rows;
  }

  private static String some(Map<?, ?> map) {
    List<String> keys = map.keySet().stream().limit(SHOWN).map(String::valueOf).toList();
    return map.size() > SHOWN ? "%s and %d more".formatted(keys, map.size() - SHOWN) : "" + keys;
  }

  private static float[] logits(Path path, Map<?, ?> rows, int i, int branches) {
    String key = i + ".prob";
    if (!(rows.get(key) instanceof StoredTensor tensor)) {
      throw new HarmonicaException(
          "%s: 'routers' has %d entries but no tensor '%s', expected 0.prob to %d.prob"
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
