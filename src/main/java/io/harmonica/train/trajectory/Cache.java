package io.harmonica.train.trajectory;

import io.harmonica.torch.Scope;
import io.harmonica.torch.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The last outputs that a trajectory stored of each branch, newest first.
 *
 * <p>Outputs never change. A fork shares them, and closes only those that it stored itself.
 */
public final class Cache implements AutoCloseable {
  private final int history;
  private final List<List<Entry>> branches = new ArrayList<>();

  private record Entry(int step, Value output, Cache owner) {}

  /**
   * An empty one.
   *
   * @param history how many outputs of a branch are kept
   */
  Cache(int branches, int history) {
    this.history = history;
    for (int b = 0; b < branches; b++) {
      this.branches.add(new ArrayList<>());
    }
  }

  Cache fork() {
    Cache fork = new Cache(branches.size(), history);
    for (int b = 0; b < branches.size(); b++) {
      fork.branches.get(b).addAll(branches.get(b));
    }
    return fork;
  }

  /** The steps whose outputs of a branch are stored. */
  public List<Integer> steps(int branch) {
    return branches.get(branch).stream().map(Entry::step).toList();
  }

  /** A stored output, (B, N, D), 0 being the newest. */
  public Value output(int branch, int age) {
    return branches.get(branch).get(age).output();
  }

  /** Keeps an output, outside the history of the gradients; the oldest one goes. */
  public void store(int branch, int step, Value output) {
    List<Entry> entries = branches.get(branch);
    try (Scope scope = Scope.withoutGradients()) {
      entries.add(0, new Entry(step, scope.keep(output.detach()), this));
    }
    if (entries.size() > history) {
      release(entries.remove(history));
    }
  }

  private void release(Entry entry) {
    if (entry.owner() == this) {
      entry.output().close();
    }
  }

  @Override
  public void close() {
    branches.forEach(entries -> entries.forEach(this::release));
    branches.forEach(List::clear);
  }
}
