package io.harmonica.train.search;

import io.harmonica.train.search.Measure.Entry;
import io.harmonica.train.search.Measure.Rated;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Substitute;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * No paper: the weights of reused outputs by what they do to the pictures. {@link Responses} tell
 * to first order how the differences to the uncached pictures change with each weight; regularised
 * least squares finds the change that leaves least of them.
 *
 * <p>{@link Refit} fits the outputs themselves, of which most squares never show in a picture: of a
 * run it makes weights worse than Taylor's.
 */
public final class Tuning {
  /** How strongly weights are held to what they were; shares of a sample's mean response. */
  private static final double[] RIDGES = {1, 0.1, 0.01};

  private final Responses responses;
  private final Routing start;
  private final List<Weight> weights = new ArrayList<>();

  /** One weight of a reused output, and what a change of it does to each sample. */
  private record Weight(Entry entry, List<Integer> stored, int index, double[] response) {}

  private Tuning(Measure measure, Responses responses, Routing start) {
    this.responses = responses;
    this.start = start;
    for (int c = 0; c < start.computes()[0].length; c++) {
      List<List<Integer>> stored = measure.stored(start.computes(), c);
      for (int s = 0; s < start.computes().length; s++) {
        if (!start.computes()[s][c]) {
          add(new Entry(s, c), stored.get(s));
        }
      }
    }
  }

  private void add(Entry entry, List<Integer> stored) {
    double[] own = start.weights().of(entry.step(), entry.column(), stored);
    for (int j = 0; own.length > 1 && j < own.length; j++) { // one alone is reused as it is
      double[] response = new double[responses.samples()];
      responses.add(response, entry.step(), entry.column(), stored.get(j), 1);
      weights.add(new Weight(entry, stored, j, response));
    }
  }

  /**
   * The start, or what is better under the exact measure.
   *
   * @param measure decides
   * @param pictures whose responses are taken, others than those that decide
   * @param each told when a batch is through one probe
   */
  public static Rated of(Measure measure, Measure pictures, Rated start, long seed, Runnable each) {
    Responses responses = Responses.of(pictures, start.routing(), Exchange.PROBES, seed, each);
    Tuning tuning = new Tuning(measure, responses, start.routing());
    Rated best = start;
    for (double ridge : RIDGES) {
      Routing tuned = new Routing(start.routing().computes(), tuning.changed(ridge));
      Rated candidate = measure.rate(tuned);
      best = candidate.error() < best.error() ? candidate : best;
    }
    return best;
  }

  /**
   * By the dual equations, one for each sample: {@code (R R' + ridge) a = d}, and the change of a
   * weight is {@code -a . its response}.
   */
  private Substitute.Weights changed(double ridge) {
    int samples = responses.samples();
    double[] roots = IntStream.range(0, samples).mapToDouble(this::root).toArray();
    double[] left = responses.differences();
    double[][] equations = new double[samples][samples + 1];
    double trace = 0;
    for (int p = 0; p < samples; p++) {
      for (int q = 0; q <= p; q++) {
        double product = 0;
        for (Weight weight : weights) {
          product += weight.response()[p] * weight.response()[q];
        }
        equations[p][q] = product * roots[p] * roots[q];
        equations[q][p] = equations[p][q];
      }
      trace += equations[p][p];
      equations[p][samples] = left[p] * roots[p];
    }
    for (int p = 0; p < samples; p++) {
      equations[p][p] += ridge * trace / samples;
    }
    double[] solution = LinearEquations.solve(equations);
    Map<Entry, double[]> changes = new HashMap<>();
    Map<Entry, List<Integer>> stored = new HashMap<>();
    for (Weight weight : weights) {
      double change = 0;
      for (int q = 0; q < samples; q++) {
        change -= solution[q] * roots[q] * weight.response()[q];
      }
      stored.put(weight.entry(), weight.stored());
      changes
              .computeIfAbsent(weight.entry(), e -> new double[weight.stored().size()])[
              weight.index()] =
          change;
    }
    return (step, column, of) -> {
      double[] own = start.weights().of(step, column, of);
      Entry entry = new Entry(step, column);
      for (int j = 0; of.equals(stored.get(entry)) && j < own.length; j++) {
        own[j] += changes.get(entry)[j];
      }
      return own;
    };
  }

  private double root(int sample) {
    return Math.sqrt(responses.scales()[sample]);
  }
}
