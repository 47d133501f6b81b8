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
   * @param slices which of {@code of} equal slices along the first dimension it consists of, in its
   *     own order
   * @param ones further dimensions of 1 that it has there: a convolution's, of a linear map
   */
  record Source(String tensor, List<Integer> slices, int of, int ones) {
    Source {
      slices = List.copyOf(slices);
    }

    /** A tensor of its own. */
    static Source of(String tensor) {
      return new Source(tensor, List.of(0), 1, 0);
    }

    /** One of several parameters of a size that lie together. */
    static Source part(String tensor, int part, int of) {
      return new Source(tensor, List.of(part), of, 0);
    }

    /** One whose halves lie there in the other order. */
    static Source swapped(String tensor) {
      return new Source(tensor, List.of(1, 0), 2, 0);
    }

    /** The same of another tensor. */
    Source in(String other) {
      return new Source(other, slices, of, ones);
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
    if (source.of() == 1) {
      return values;
    }
    int length = values.length / source.of();
    float[] own = new float[source.slices().size() * length];
    for (int i = 0; i < source.slices().size(); i++) {
      System.arraycopy(values, source.slices().get(i) * length, own, i * length, length);
    }
    return own;
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
    stored[0] = stored[0] / source.slices().size() * source.of();
    return stored;
  }
}
