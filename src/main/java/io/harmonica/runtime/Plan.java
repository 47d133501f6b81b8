package io.harmonica.runtime;

import io.harmonica.Port;
import java.util.ArrayList;
import java.util.List;

/**
 * The tensors of a trajectory and when each is live, so that a runtime can give each its place
 * before the first call.
 *
 * @param items in any order; two of one name do not begin at the same call
 */
public record Plan(List<Item> items) {

  /**
   * One tensor.
   *
   * @param name of the input or output
   * @param first the call that brings it, counted from 0
   * @param last the last call that reads it, itself included
   */
  public record Item(String name, long sizeBytes, int first, int last) {
    public Item {
      if (sizeBytes < 1 || first < 0 || last < first) {
        throw new IllegalArgumentException(
            "%s of %d bytes lives from call %d to %d".formatted(name, sizeBytes, first, last));
      }
    }

    /** Whether it is live while a call runs. */
    public boolean livesAt(int call) {
      return first <= call && call <= last;
    }
  }

  public Plan {
    items = List.copyOf(items);
  }

  /** Collects items. */
  public static final class Builder {
    private final List<Item> items = new ArrayList<>();

    /** Adds a tensor; one whose size the port leaves open goes without a place. */
    public Builder add(Port port, int batch, int first, int last) {
      port.sizeBytes(batch).ifPresent(size -> items.add(new Item(port.name(), size, first, last)));
      return this;
    }

    public Plan build() {
      return new Plan(items);
    }
  }
}
