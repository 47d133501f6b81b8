package io.harmonica.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.train.Measure.Routing;
import java.util.ArrayList;
import java.util.List;

/**
 * From trained scores to the router: the table that meets the target, its weights fitted where
 * reuse is learned, its entries exchanged where that is asked for.
 */
final class Finish {
  /** Batches of noises that decide, and as many that only judge. */
  private static final int SETS = 8;

  private static final long DECIDING = 1L << 41;
  private static final long JUDGING = 1L << 42;
  private static final long EXPLORING = 1L << 43;

  private final Subject subject;
  private final Denoising denoising;
  private final SoftRouting routing;
  private final TrainOptions options;
  private final Target target;
  private final Progress progress;

  Finish(
      Subject subject,
      Denoising denoising,
      SoftRouting routing,
      TrainOptions options,
      Target target,
      Progress progress) {
    this.subject = subject;
    this.denoising = denoising;
    this.routing = routing;
    this.options = options;
    this.target = target;
    this.progress = progress;
  }

  /**
   * The router.
   *
   * @param observer of the exchange
   * @param computes the table that the scores say, within its target
   * @param training free-form, completed here
   */
  Router router(
      Table table,
      boolean[][] computes,
      boolean[] trainable,
      ObjectNode training,
      Exchange.Observer observer) {
    Routing start =
        new Routing(
            computes,
            (step, branch, stored) -> table.weights(routing.forecast(), step, branch, stored));
    Routing best = start;
    progress.begin("measuring", 1);
    Measure judging = measure(JUDGING);
    if (options.reuse() == TrainOptions.Reusing.LEARNED || options.exchange() > 0) {
      Measure deciding = measure(DECIDING);
      if (options.exchange() > 0) {
        progress.begin("exchanging", options.exchange() * SETS * Exchange.PROBES);
        Exchange exchange = new Exchange(deciding, target, trainable, start);
        int rounds = exchange.run(options.exchange(), this::fresh, observer);
        best = exchange.best();
        training.put("exchangeRounds", rounds);
      }
      best = refitted(deciding, best);
      training.put("exactErrorBefore", deciding.error(start));
      training.put("exactError", deciding.error(best));
      training.put("unseenErrorBefore", judging.error(start));
    }
    training.put("unseenError", judging.error(best));
    return subject.router(best.computes(), table, options.threshold(), reuse(best), training);
  }

  /** With weights by least squares, if that is better under the exact measure. */
  private Routing refitted(Measure deciding, Routing before) {
    if (options.reuse() != TrainOptions.Reusing.LEARNED) {
      return before;
    }
    Batch batch = denoising.draw(SETS * options.batch(), Batch.mix(options.seed(), DECIDING));
    Routing best = before;
    double error = deciding.error(before);
    for (double share : new double[] {1, 0.5}) {
      Refit weights = Refit.of(denoising, batch, routing.history(), before, share);
      Routing candidate = new Routing(before.computes(), weights);
      double reached = deciding.error(candidate);
      if (reached < error) {
        error = reached;
        best = candidate;
      }
    }
    return best;
  }

  /** Pictures of a round that no other sees. */
  private Measure fresh(int round) {
    return measure(EXPLORING + (long) round * SETS);
  }

  private Measure measure(long first) {
    List<Batch> batches = new ArrayList<>();
    for (int i = 0; i < SETS; i++) {
      batches.add(denoising.draw(options.batch(), Batch.mix(options.seed(), first + i)));
    }
    return new Measure(denoising, routing.history(), batches);
  }

  /** How the router file states the reuse: by name, or learned weights one by one. */
  private Reuse reuse(Routing best) {
    if (options.reuse() != TrainOptions.Reusing.LEARNED) {
      return routing.forecast();
    }
    int steps = best.computes().length;
    int branches = best.computes()[0].length;
    double[][][] weights = new double[steps][branches][0];
    for (int b = 0; b < branches; b++) {
      List<Integer> stored = new ArrayList<>();
      for (int s = 0; s < steps; s++) {
        if (best.computes()[s][b]) {
          stored.add(0, s);
        } else {
          List<Integer> kept = stored.subList(0, Math.min(stored.size(), routing.history()));
          weights[s][b] = best.weights().of(s, b, List.copyOf(kept));
        }
      }
    }
    return new Reuse.Weights(weights);
  }
}
