package io.harmonica.train.trajectory;

import io.harmonica.model.Change;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.StreamLives;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a walk computes, stores or reuses as one: a branch, by its output before the gate, or a run
 * of branches, by what they change in the streams.
 *
 * @param first index of its first branch
 * @param last index of its last one, itself included
 * @param change of a run; none for a branch
 */
public record Column(int first, int last, Optional<Change> change) {

  /** A branch. */
  public static Column branch(int index) {
    return new Column(index, index, Optional.empty());
  }

  /** Consecutive branches. */
  public static Column run(Denoiser model, int first, int last) {
    List<StreamLives.Stream> streams = StreamLives.of(model).changed(first, last);
    return new Column(first, last, Optional.of(Change.of(streams, Shapes.handedOn(model))));
  }

  /** Every branch of a model. */
  public static List<Column> branches(Denoiser model) {
    return IntStream.range(0, model.branches().size()).mapToObj(Column::branch).toList();
  }

  public boolean isRun() {
    return change.isPresent();
  }

  /** Whether another one's branches are among its own. */
  public boolean covers(Column other) {
    return first <= other.first && other.last <= last;
  }

  /** Whether both can be columns of one walk: they share no branch, or one covers the other. */
  public boolean fits(Column other) {
    return last < other.first || other.last < first || covers(other) || other.covers(this);
  }

  /** Its branches. */
  public IntStream branches() {
    return IntStream.rangeClosed(first, last);
  }

  /** How many branches it has. */
  public int size() {
    return last - first + 1;
  }
}
