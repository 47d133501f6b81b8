package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

/**
 * No paper, the baseline that a trained router has to beat: reuses a random choice of branches, the
 * same for the same seed.
 *
 * @param cur share of all branch executions that are reused, rounded to whole ones; never at step 0
 */
public record RandomReuse(double cur, long seed) implements Policy {
  public RandomReuse {
    Policy.requireCur(cur);
  }

  @Override
  public String policy() {
    return "random";
  }

  @Override
  public void describe(ObjectNode training) {
    training.put("cur", cur).put("seed", seed);
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    Policy.requireCur(cur, steps);
    int width = branches.size();
    var table = new boolean[steps][width];
    Arrays.stream(table).forEach(row -> Arrays.fill(row, true));
    List<Integer> cells = new ArrayList<>(IntStream.range(width, steps * width).boxed().toList());
    Collections.shuffle(cells, new Random(seed));
    int reused = (int) Math.round(cur * steps * width);
    cells.subList(0, reused).forEach(cell -> table[cell / width][cell % width] = false);
    return table;
  }
}
