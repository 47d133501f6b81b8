package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.List;

/**
 * A policy that reuses runs where it reused branches.
 *
 * @param rule whose table it is
 * @param grain how much it reuses as one
 */
public record Grained(Policy rule, Grain grain) implements Policy {
  /** The policy at a grain. */
  public static Policy of(Policy policy, Grain grain) {
    return grain == Grain.BRANCH ? policy : new Grained(policy, grain);
  }

  @Override
  public String policy() {
    return rule.policy();
  }

  @Override
  public boolean[][] computes(int steps, List<String> branches) {
    return rule.computes(steps, branches);
  }

  @Override
  public List<Run> runs(int steps, List<String> branches) {
    return grain.runs(branches);
  }

  @Override
  public void describe(ObjectNode training) {
    rule.describe(training);
    training.put("grain", grain.toString());
  }

  @Override
  public Reuse reuse() {
    return rule.reuse();
  }
}
