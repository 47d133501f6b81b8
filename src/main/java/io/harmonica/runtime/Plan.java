package io.harmonica.runtime;

import io.harmonica.repository.proto.DataType;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

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

    /**
     * Adds a tensor; one whose size the configuration leaves open goes without a place.
     *
     * @param dims as a configuration has them, without the batch
     */
    public Builder add(
        String name, DataType type, List<Long> dims, int batch, int first, int last) {
      sizeBytes(type, dims, batch).ifPresent(size -> items.add(new Item(name, size, first, last)));
      return this;
    }

    public Plan build() {
      return new Plan(items);
    }
  }

  /** Empty where the shape is open, or values have no fixed size. */
  public static OptionalLong sizeBytes(DataType type, List<Long> dims, int batch) {
    long size = batch * (long) sizeBytes(type);
    for (long dim : dims) {
      size = Math.multiplyExact(size, dim);
    }
    return size > 0 ? OptionalLong.of(size) : OptionalLong.empty();
  }

  /** Bytes of a value; 0 where they differ from value to value. */
  private static int sizeBytes(DataType type) {
    return switch (type) {
      case TYPE_BOOL, TYPE_INT8, TYPE_UINT8 -> 1;
      case TYPE_FP16, TYPE_BF16, TYPE_INT16, TYPE_UINT16 -> 2;
      case TYPE_FP32, TYPE_INT32, TYPE_UINT32 -> 4;
      case TYPE_FP64, TYPE_INT64, TYPE_UINT64 -> 8;
      default -> 0;
    };
  }
}
