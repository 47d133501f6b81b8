package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;

/**
 * FORA (arXiv 2407.01425): every {@code interval}-th step computes all branches, the steps between
 * reuse the outputs as they are. The interval need not be whole: step s computes where {@code
 * floor(s / interval)} is not that of the step before.
 *
 * @param interval steps from one full step to the next, at least 1; 1 computes everything
 */
public record Fora(double interval) implements Policy {
  public Fora {
    Policy.requireInterval(interval);
  }

  @Override
  public String policy() {
    return "fora";
  }

  @Override
  public void describe(ObjectNode training) {
    Policy.putInterval(training, interval);
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    var table = new boolean[steps][branches.size()];
    int last = -1;
    for (int s = 0; s < steps; s++) {
      int stretch = (int) Math.floor(s / interval + 1e-9); // 10 / (10.0 / 3) is to count as 3
      Arrays.fill(table[s], stretch != last);
      last = stretch;
    }
    return table;
  }
}
