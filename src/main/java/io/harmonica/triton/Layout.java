package io.harmonica.triton;

import io.harmonica.runtime.Plan;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * Where each tensor of a {@link Plan} lies in one region: tensors that are live at the same call
 * never overlap, and the place of one that is dead is given away again.
 */
final class Layout {
  /** Of every place, so that each tensor begins on a cache line. */
  static final long ALIGNMENT = 64;

  private final Map<Plan.Item, Long> offsets = new HashMap<>();
  private final Map<String, List<Plan.Item>> byName = new HashMap<>();
  private final FreeList memory = new FreeList();

  private Layout() {}

  static Layout of(Plan plan) {
    Layout layout = new Layout();
    // In the order of the calls; what lives longest lies first, and what comes and goes behind it.
    List<Plan.Item> items =
        plan.items().stream()
            .sorted(
                Comparator.comparing(Plan.Item::first)
                    .thenComparing(Comparator.comparing(Plan.Item::last).reversed())
                    .thenComparing(Plan.Item::name))
            .toList();
    List<Plan.Item> ending = items.stream().sorted(Comparator.comparing(Plan.Item::last)).toList();
    int freed = 0;
    for (Plan.Item item : items) {
      for (; ending.get(freed).last() < item.first(); freed++) {
        Plan.Item dead = ending.get(freed);
        layout.memory.free(layout.offsets.get(dead), aligned(dead));
      }
      layout.offsets.put(item, layout.memory.allocate(aligned(item)));
      layout.byName.merge(item.name(), List.of(item), Layout::joined);
    }
    return layout;
  }

  private static List<Plan.Item> joined(List<Plan.Item> some, List<Plan.Item> others) {
    return Stream.concat(some.stream(), others.stream()).toList();
  }

  private static long aligned(Plan.Item item) {
    return (item.sizeBytes() + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  /** A planned tensor of this name: one that this call brings, else one that lives over it. */
  Optional<Plan.Item> find(String name, int call) {
    List<Plan.Item> items = byName.getOrDefault(name, List.of());
    return items.stream()
        .filter(item -> item.livesAt(call))
        .max(Comparator.comparing(item -> item.first() == call));
  }

  long offset(Plan.Item item) {
    return offsets.get(item);
  }

  long sizeBytes() {
    return memory.sizeBytes();
  }

  /** Memory that grows at its end: the first hole that is large enough, whole holes merged. */
  private static final class FreeList {
    private final TreeMap<Long, Long> holes = new TreeMap<>(); // size by offset
    private long end;

    long allocate(long size) {
      for (Map.Entry<Long, Long> hole : holes.entrySet()) {
        long offset = hole.getKey();
        long found = hole.getValue(); // removal may change the entry
        if (found >= size) {
          holes.remove(offset);
          if (found > size) {
            holes.put(offset + size, found - size);
          }
          return offset;
        }
      }
      Map.Entry<Long, Long> last = holes.lastEntry();
      if (last != null && last.getKey() + last.getValue() == end) { // grow the hole at the end
        holes.remove(last.getKey());
        end = last.getKey() + size;
        return last.getKey();
      }
      end += size;
      return end - size;
    }

    void free(long offset, long size) {
      Map.Entry<Long, Long> before = holes.floorEntry(offset);
      if (before != null && before.getKey() + before.getValue() == offset) {
        offset = before.getKey();
        size += before.getValue();
      }
      Long after = holes.remove(offset + size);
      holes.put(offset, after == null ? size : size + after);
    }

    long sizeBytes() {
      return end;
    }
  }
}
