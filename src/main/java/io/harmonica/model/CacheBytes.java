package io.harmonica.model;

import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToLongFunction;

/**
 * How large the outputs are that a trajectory keeps, for one sample.
 *
 * @param branches bytes of each branch's output
 * @param streams bytes of what blocks hand on, by name
 * @param lives of the streams beside the hidden state
 */
public record CacheBytes(List<Long> branches, Map<String, Long> streams, StreamLives lives) {
  public CacheBytes {
    branches = List.copyOf(branches);
    streams = new LinkedHashMap<>(streams); // in the order in which they are first made
  }

  /**
   * Of a model.
   *
   * @param output bytes of a branch's output of a shape
   * @param stream bytes of what a run changes in a stream of a shape
   */
  public static CacheBytes of(
      Denoiser model, ToLongFunction<long[]> output, ToLongFunction<long[]> stream) {
    Map<String, long[]> shapes = Shapes.handedOn(model);
    Map<String, Long> streams = new LinkedHashMap<>();
    for (String name : Shapes.streams(model).keySet()) {
      streams.put(name, stream.applyAsLong(shapes.get(name)));
    }
    List<Long> branches = Shapes.outputs(model).stream().mapToLong(output).boxed().toList();
    return new CacheBytes(branches, streams, StreamLives.of(model));
  }

  /** Of branches of which nothing else is known: streams are as large as the largest output. */
  public static CacheBytes of(List<Long> branches) {
    return new CacheBytes(
        branches, Map.of(Streams.HIDDEN, Collections.max(branches)), new StreamLives(Map.of()));
  }

  /** Of a model in fp32. */
  public static CacheBytes of(Denoiser model) {
    return of(model, CacheBytes::fp32, CacheBytes::fp32);
  }

  private static long fp32(long[] shape) {
    return Arrays.stream(shape).reduce(Float.BYTES, Math::multiplyExact);
  }

  /** What these branches change together, as one tensor: every stream that outlives them. */
  public long run(int first, int last) {
    return lives.changed(first, last).stream()
        .mapToLong(stream -> streams.get(stream.name()))
        .sum();
  }
}
