package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;

/**
 * FORA (arXiv 2407.01425): every {@code interval}-th step computes all branches, the steps between
 * reuse the outputs as they are.
 *
 * @param interval steps from one full step to the next, at least 1; 1 computes everything
 */
public record Fora(int interval) implements Policy {
  public Fora {
    Policy.requireInterval(interval);
  }

  @Override
  public String policy() {
    return "fora";
  }

  @Override
  public void describe(ObjectNode training) {
    training.put("interval", interval);
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    var table = new boolean[steps][branches.size()];
    for (int s = 0; s < steps; s += interval) {
      Arrays.fill(table[s], true);
    }
    return table;
  }
}
