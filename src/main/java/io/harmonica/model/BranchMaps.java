package io.harmonica.model;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Finds the linear maps that a model's branches consist of: nine tenths of its time. What lies
 * outside of branches, as embeddings, modulation, long skips and the head, is not among them.
 */
public final class BranchMaps extends Forwarding<long[]> {
  private final Set<String> names = new HashSet<>();
  private boolean inBranch;

  private BranchMaps() {
    super(new Shapes(Weights.NONE));
  }

  /** Names of their weights. */
  public static Set<String> of(Denoiser model) {
    BranchMaps ops = new BranchMaps();
    Map<String, long[]> inputs = new HashMap<>();
    model.io().conditions().forEach(port -> inputs.put(port.name(), port.batched(1)));
    Map<String, long[]> conditions = model.condition(ops, inputs);
    Streams<long[]> begun = model.begin(ops, model.io().sample().batched(1), conditions::get);
    model.blocks(
        ops,
        0,
        model.branches().size(),
        begun,
        conditions::get,
        (branch, computed) -> {
          ops.inBranch = true;
          long[] output = computed.get();
          ops.inBranch = false;
          return Term.of(output);
        });
    return Set.copyOf(ops.names);
  }

  @Override
  public long[] linear(long[] x, String name, int in, int out) {
    note(name + ".weight");
    return super.linear(x, name, in, out);
  }

  @Override
  public long[] project(long[] x, String name, int in, int out) {
    note(name);
    return super.project(x, name, in, out);
  }

  private void note(String weight) {
    if (inBranch) {
      names.add(weight);
    }
  }
}
