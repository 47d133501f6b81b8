package io.harmonica.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.train.search.Exchange;
import io.harmonica.train.search.Measure;
import io.harmonica.train.search.Measure.Rated;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.search.Merge;
import io.harmonica.train.search.Refit;
import io.harmonica.train.search.Target;
import io.harmonica.train.search.Tuning;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Purpose;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * From trained scores to the router: the table that meets the target, its weights fitted where
 * reuse is learned, its entries exchanged where that is asked for.
 */
final class Finish {
  /** Batches of a set of pictures. */
  private static final int BATCHES = 8;

  /** Rounds of tuning: the first goes by what the trajectory did before it. */
  private static final int TUNINGS = 2;

  private final Task task;
  private final Columns columns;
  private final Denoising denoising;
  private final SoftRouting routing;
  private final TrainOptions options;
  private final Target target;
  private final Progress progress;

  Finish(
      Task task,
      Columns columns,
      Denoising denoising,
      SoftRouting routing,
      TrainOptions options,
      Target target,
      Progress progress) {
    this.task = task;
    this.columns = columns;
    this.denoising = denoising;
    this.routing = routing;
    this.options = options;
    this.target = target;
    this.progress = progress;
  }

  /** What inference does by a table's scores and weights, within its target. */
  Routing landed(Table table, boolean[][] computes) {
    return new Routing(
        computes,
        (step, branch, stored) -> table.weights(routing.forecast(), step, branch, stored));
  }

  /**
   * The router.
   *
   * @param table whose scores it states
   * @param candidates what to go on from, the trained table first: the best one is taken
   * @param earlier what an earlier run's exchange came to; null without one
   * @param training free-form, completed here
   * @param observer of the exchange
   */
  Router router(
      Table table,
      List<Routing> candidates,
      boolean[] trainable,
      State.Exchanged earlier,
      ObjectNode training,
      Exchange.Observer observer) {
    Routing start = candidates.get(0);
    Routing best = start;
    progress.begin("measuring", 1);
    Measure judging = measure(Purpose.JUDGING, 0);
    Measure judged = judging; // by the columns that merging adds, too
    boolean exchanges = options.effort().exchange() > 0 || earlier != null;
    boolean learns = options.reuse().rule().learns();
    if (learns || options.reuse().merges() || exchanges || candidates.size() > 1) {
      Measure deciding = measure(Purpose.DECIDING, 0);
      Rated trained = deciding.rate(start);
      Rated rated = bestOf(deciding, trained, candidates.subList(1, candidates.size()));
      if (rated != trained) {
        start = rated.routing();
        training.put("keptStart", true).put("exactErrorTrained", trained.error());
        progress.note("training did not improve on the table it started from: that is kept");
      }
      training.put("exactErrorBefore", rated.error());
      if (exchanges) {
        rated = exchanged(deciding, rated, trainable, earlier, training, observer);
      }
      if (learns && exchanges) {
        rated = tuned(deciding, rated);
      }
      if (options.reuse().merges()) {
        Merge merge = Merge.of(deciding, rated, routing.forecast()::weights);
        deciding = merge.measure();
        rated = merge.best();
        judged = judging.over(deciding.denoising());
        training.put("exactErrorMerged", rated.error());
      }
      if (learns) {
        rated = refitted(deciding, rated);
      }
      training.put("exactError", rated.error());
      training.put("unseenErrorBefore", judging.error(start));
      best = rated.routing();
    }
    training.put("unseenError", judged.error(best));
    return task.router(
        new Columns(judged.denoising().all()),
        best.computes(),
        table,
        options.threshold(),
        reuse(judged, best),
        training);
  }

  private static Rated bestOf(Measure deciding, Rated first, List<Routing> others) {
    return Stream.concat(Stream.of(first), others.stream().map(deciding::rate))
        .min(Comparator.comparingDouble(Rated::error))
        .orElseThrow();
  }

  private Rated exchanged(
      Measure deciding,
      Rated start,
      boolean[] trainable,
      State.Exchanged earlier,
      ObjectNode training,
      Exchange.Observer observer) {
    Rated from =
        earlier == null
            ? start
            : deciding.rate(new Routing(earlier.computes(), start.routing().weights()));
    int made = earlier == null ? 0 : earlier.rounds();
    Exchange exchange = new Exchange(deciding, target, trainable, from, options.effort().seed());
    if (earlier == null || !earlier.over()) {
      progress.begin(
          "exchanging",
          Math.max(0, options.effort().exchange() - made) * BATCHES * Exchange.PROBES);
      made =
          exchange.run(
              made,
              options.effort().exchange(),
              round -> measure(Purpose.EXPLORING, round),
              observer);
    }
    training.put("exchangeRounds", made);
    return exchange.best();
  }

  /** With weights by what they do to the pictures, if that is better under the exact measure. */
  private Rated tuned(Measure deciding, Rated before) {
    progress.begin("tuning", TUNINGS * BATCHES * Exchange.PROBES);
    Rated best = before;
    for (int i = 0; i < TUNINGS; i++) {
      double error = best.error();
      best =
          Tuning.of(
              deciding,
              measure(Purpose.TUNING, i),
              best,
              Purpose.DIRECTIONS.seed(options.effort().seed(), -1 - i),
              () -> progress.advance(String.format(Locale.ROOT, "error %.3g", error)));
    }
    return best;
  }

  /** With weights by least squares, if that is better under the exact measure. */
  private Rated refitted(Measure deciding, Rated before) {
    List<Batch> batches = draw(Purpose.FITTING, 0);
    Rated best = before;
    for (double share : new double[] {1, 0.5}) {
      Refit weights =
          Refit.of(deciding.denoising(), batches, routing.history(), before.routing(), share);
      Rated candidate = deciding.rate(new Routing(before.routing().computes(), weights));
      best = candidate.error() < best.error() ? candidate : best;
    }
    return best;
  }

  /** By pictures that no other purpose or set sees. */
  private Measure measure(Purpose purpose, int set) {
    return new Measure(denoising, routing.history(), draw(purpose, set));
  }

  private List<Batch> draw(Purpose purpose, int set) {
    return IntStream.range(set * BATCHES, (set + 1) * BATCHES)
        .mapToObj(
            i -> denoising.draw(options.effort().batch(), purpose.seed(options.effort().seed(), i)))
        .toList();
  }

  /** How the router states the reuse: by name, or learned weights one by one, by column. */
  private Reuse reuse(Measure measure, Routing best) {
    if (!options.reuse().rule().learns()) {
      return routing.forecast();
    }
    int steps = best.computes().length;
    int columns = measure.denoising().columns();
    double[][][] weights = new double[steps][columns][0];
    for (int c = 0; c < columns; c++) {
      List<List<Integer>> stored = measure.stored(best.computes(), c);
      for (int s = 0; s < steps; s++) {
        if (!best.computes()[s][c]) {
          weights[s][c] = best.weights().of(s, c, stored.get(s));
        }
      }
    }
    return new Reuse.Weights(weights);
  }
}
