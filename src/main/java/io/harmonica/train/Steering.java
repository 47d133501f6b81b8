package io.harmonica.train;

import io.harmonica.train.search.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/**
 * Chooses beta, the price of a computed column in the loss, so that the table ends at its target.
 *
 * <p>An entry's logit rises while what computing saves, {@code -lambda_s dMSE/dr}, exceeds the
 * price. So the price is set where just the entries above it fit the budget, by running means of
 * the savings. Noise keeps many entries from following; so the price is also corrected, step by
 * step, by the error of the table that the logits are heading for. The table itself would answer
 * too late: it lags by the hundreds of iterations that a logit takes to cross the threshold.
 */
final class Steering {
  private static final double MEMORY = 0.9;
  private static final double GAIN = 0.1;
  private static final double MOST_TRIM = Math.log(100);

  /** How far the table looks ahead, in inverse learning rates: so many logits at full speed. */
  static final double AHEAD = 2;

  private final Optional<Target> target; // none where beta is fixed
  private final double[][] savings; // [steps][columns], of the MSE alone
  private double trim; // what log beta is moved by
  private double beta;

  private record Offer(double saving, double weight) {}

  /** Goes on from a state. */
  Steering(Optional<Target> target, State state) {
    State own = state.copy();
    this.target = target;
    this.savings = own.savings();
    this.trim = own.trim();
    this.beta = own.beta();
  }

  /** What is needed to go on later. */
  record State(double[][] savings, double trim, double beta) {
    static State fresh(int steps, int columns, double beta) {
      return new State(new double[steps][columns], 0, beta);
    }

    private State copy() {
      double[][] copied = Arrays.stream(savings).map(double[]::clone).toArray(double[][]::new);
      return new State(copied, trim, beta);
    }
  }

  double beta() {
    return beta;
  }

  State state() {
    return new State(savings, trim, beta).copy();
  }

  /**
   * Sets the price for the next iteration.
   *
   * @param first whether nothing was observed before
   * @param heading the table that the logits are heading for
   */
  void adjust(
      boolean first,
      List<Updates.Loss> losses,
      boolean[][] heading,
      float[] lambda,
      boolean[] trainable) {
    if (target.isEmpty()) {
      return;
    }
    for (Updates.Loss loss : losses) {
      double[] mean = savings[loss.step()];
      for (int b = 0; b < mean.length; b++) {
        mean[b] = first ? loss.savings()[b] : MEMORY * mean[b] + (1 - MEMORY) * loss.savings()[b];
      }
    }
    trim += GAIN * target.get().excess(heading);
    trim = Math.max(-MOST_TRIM, Math.min(MOST_TRIM, trim));
    beta = clearingPrice(target.get(), lambda, trainable) * Math.exp(trim);
  }

  /** The highest price at which the entries that pay it fill the budget. */
  private double clearingPrice(Target held, float[] lambda, boolean[] trainable) {
    List<Offer> offers = new ArrayList<>();
    double cost = 0;
    for (int s = 0; s < savings.length; s++) {
      for (int b = 0; b < savings[s].length; b++) {
        if (trainable[s]) {
          offers.add(new Offer(lambda[s] * savings[s][b], held.weights()[b]));
        } else {
          cost += held.weights()[b];
        }
      }
    }
    offers.sort(Comparator.comparingDouble(Offer::saving).reversed());
    for (Offer offer : offers) {
      cost += offer.weight();
      if (!held.allows(cost)) {
        return Math.max(0, offer.saving());
      }
    }
    return 0;
  }
}
