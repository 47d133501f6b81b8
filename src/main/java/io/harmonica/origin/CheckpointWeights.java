package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.model.Weights;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Parameters found in a checkpoint whose file layout names them differently. */
final class CheckpointWeights implements Weights {

  /**
   * Where a parameter lies in a file.
   *
   * @param part which of {@code parts} equal slices along the first dimension it is
   * @param ones further dimensions of 1 that it has there: a convolution's, of a linear map
   */
  record Source(String tensor, int part, int parts, int ones) {
    Source(String tensor, int part, int parts) {
      this(tensor, part, parts, 0);
    }

    static Source of(String tensor) {
      return new Source(tensor, 0, 1);
    }
  }

  private final Checkpoint checkpoint;
  private final Function<String, Source> layout;
  private final Unread unread;
  private final Set<String> required = ConcurrentHashMap.newKeySet(); // as the file names them

  CheckpointWeights(Checkpoint checkpoint, Function<String, Source> layout, Unread unread) {
    this.checkpoint = checkpoint;
    this.layout = layout;
    this.unread = unread;
  }

  /** Takes tensors for required that say again what others say. */
  CheckpointWeights withCopies(Collection<String> names) {
    required.addAll(names);
    return this;
  }

  @Override
  public void require(String name, long... shape) {
    find(name, shape);
    required.add(layout.apply(name).tensor());
  }

  @Override
  public void requireNothingElse() {
    unread.refuseBeside(checkpoint, required);
  }

  @Override
  public Optional<String> note() {
    return unread.note(checkpoint, required);
  }

  @Override
  public float[] read(String name, long... shape) {
    StoredTensor tensor = find(name, shape);
    Source source = layout.apply(name);
    float[] values = tensor.floats();
    if (source.parts() == 1) {
      return values;
    }
    int length = values.length / source.parts();
    return Arrays.copyOfRange(values, source.part() * length, (source.part() + 1) * length);
  }

  private StoredTensor find(String name, long... shape) {
    Source source = layout.apply(name);
    if (!checkpoint.names().contains(source.tensor())) {
      throw Missing.weight(
          checkpoint,
          source.tensor(),
          " (expected shape %s)".formatted(Arrays.toString(stored(source, shape))),
          "is it the whole checkpoint of this architecture?");
    }
    StoredTensor tensor = checkpoint.tensor(source.tensor());
    List<Long> expected = Arrays.stream(stored(source, shape)).boxed().toList();
    if (!tensor.shape().equals(expected)) {
      throw new HarmonicaException(
          "%s: weight %s has shape %s, expected %s; does the checkpoint match its configuration?"
              .formatted(checkpoint.path(), source.tensor(), tensor.shape(), expected));
    }
    return tensor;
  }

  private static long[] stored(Source source, long... shape) {
    long[] stored = Arrays.copyOf(shape, shape.length + source.ones());
    Arrays.fill(stored, shape.length, stored.length, 1);
    stored[0] *= source.parts();
    return stored;
  }
}
