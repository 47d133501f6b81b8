package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;
import java.util.List;

/** No paper: computes every branch at every step, the reference of all comparisons. */
public record Uncached() implements Policy {
  @Override
  public String policy() {
    return "none";
  }

  @Override
  public void describe(ObjectNode training) {}

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    var table = new boolean[steps][branches.size()];
    Arrays.stream(table).forEach(row -> Arrays.fill(row, true));
    return table;
  }
}
