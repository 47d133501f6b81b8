package io.harmonica.train.trajectory;

import io.harmonica.torch.Scope;
import io.harmonica.torch.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * The last outputs that a trajectory stored of each column, newest first.
 *
 * <p>Outputs never change. A fork shares them, and closes only those that it stored itself.
 */
public final class Cache implements AutoCloseable {
  private final int history;
  private final List<List<Entry>> columns = new ArrayList<>();

  private record Entry(int step, Value output, Cache owner) {}

  /**
   * An empty one.
   *
   * @param history how many outputs of a column are kept
   */
  Cache(int columns, int history) {
    this.history = history;
    for (int b = 0; b < columns; b++) {
      this.columns.add(new ArrayList<>());
    }
  }

  Cache fork() {
    Cache fork = new Cache(columns.size(), history);
    for (int b = 0; b < columns.size(); b++) {
      fork.columns.get(b).addAll(columns.get(b));
    }
    return fork;
  }

  /** The steps whose outputs of a column are stored. */
  public List<Integer> steps(int column) {
    return columns.get(column).stream().map(Entry::step).toList();
  }

  /** A stored output, (B, N, D), 0 being the newest. */
  public Value output(int column, int age) {
    return columns.get(column).get(age).output();
  }

  /** Keeps an output, outside the history of the gradients; the oldest one goes. */
  public void store(int column, int step, Value output) {
    List<Entry> entries = columns.get(column);
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
    columns.forEach(entries -> entries.forEach(this::release));
    columns.forEach(List::clear);
  }
}
