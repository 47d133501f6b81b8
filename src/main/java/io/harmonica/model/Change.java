package io.harmonica.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What consecutive branches change in the streams, as one tensor: where it is added, they need not
 * run. Gates are in it, and whatever else is between the branches, as a skip that a block joins.
 *
 * @param parts the streams that change, in order; the tensor has their rows one after the other
 */
public record Change(List<Part> parts) {

  /**
   * A stream.
   *
   * @param rows its tokens, (B, rows, D)
   * @param isNew whether there is none before: then it is not changed, but made
   */
  public record Part(String stream, long rows, boolean isNew) {}

  public Change {
    parts = List.copyOf(parts);
  }

  /**
   * Of these streams.
   *
   * @param shapes of each after the batch, (rows, D)
   */
  public static Change of(List<StreamLives.Stream> streams, Map<String, long[]> shapes) {
    return new Change(
        streams.stream()
            .map(one -> new Part(one.name(), shapes.get(one.name())[0], one.isNew()))
            .toList());
  }

  /** The tensor's rows. */
  public long rows() {
    return parts.stream().mapToLong(Part::rows).sum();
  }

  /** The output (B, sum of rows, D): streams after, minus streams before. */
  public <T> T of(Ops<T> ops, Streams<T> before, Streams<T> after) {
    List<T> changes = new ArrayList<>();
    for (Part part : parts) {
      T end = after.get(part.stream());
      changes.add(part.isNew() ? end : ops.sub(end, before.get(part.stream())));
    }
    return changes.size() == 1 ? changes.get(0) : ops.concat(1, changes);
  }

  /** Streams with a sum of outputs added. */
  public <T> Streams<T> add(Ops<T> ops, Streams<T> streams, List<Term<T>> terms) {
    long at = 0;
    Streams<T> changed = streams;
    for (Part part : parts) {
      List<Term<T>> own = new ArrayList<>();
      for (Term<T> term : terms) {
        T rows =
            parts.size() == 1 ? term.output() : ops.slice(term.output(), 1, at, at + part.rows());
        own.add(new Term<>(term.weight(), rows));
      }
      T result = part.isNew() ? sum(ops, own) : joined(ops, streams.get(part.stream()), own);
      changed = changed.with(part.stream(), result);
      at += part.rows();
    }
    return changed;
  }

  private static <T> T joined(Ops<T> ops, T stream, List<Term<T>> terms) {
    return Layers.joined(ops, stream, terms, Optional.empty());
  }

  private static <T> T sum(Ops<T> ops, List<Term<T>> terms) {
    Term<T> first = terms.get(0);
    T start = first.weight().map(w -> ops.mul(w, first.output())).orElse(first.output());
    return joined(ops, start, terms.subList(1, terms.size()));
  }
}
