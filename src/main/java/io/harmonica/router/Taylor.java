package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * TaylorSeer (arXiv 2503.06923): FORA's table, but the steps between forecast the outputs from the
 * last computed ones by a Taylor expansion.
 *
 * @param interval steps from one full step to the next, at least 1, not necessarily whole
 * @param order 1 linear, 2 quadratic, 0 plain reuse, which is FORA
 */
public record Taylor(double interval, int order) implements Policy {
  public Taylor {
    Policy.requireInterval(interval);
    if (order < 0 || order > 2) {
      throw new IllegalArgumentException("order is %d, expected 0, 1 or 2".formatted(order));
    }
  }

  @Override
  public String policy() {
    return "taylor";
  }

  @Override
  public void describe(ObjectNode training) {
    Policy.putInterval(training, interval);
    training.put("order", order);
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    return new Fora(interval).computes(steps, branches);
  }

  @Override
  public Reuse reuse() {
    return new Reuse.Forecast(order);
  }
}
