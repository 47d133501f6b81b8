package io.harmonica.model;

import java.util.Arrays;
import java.util.Optional;

/** The parameters of a model under the names that its definition uses. */
public interface Weights {

  /** Checks that a parameter exists in this shape, without reading it. */
  void require(String name, long... shape);

  /** A parameter as fp32, row-major. */
  float[] read(String name, long... shape);

  /**
   * Refuses what is stored beside the parameters that were required so far, where it makes another
   * model of them.
   */
  default void requireNothingElse() {}

  /** What to tell of anything else that is stored and was not required. */
  default Optional<String> note() {
    return Optional.empty();
  }

  /**
   * A structure without weights, to count the FLOPs of {@code DiT-XL/2} for example: {@link
   * #require} accepts every name and shape, {@link #read} throws.
   */
  Weights NONE =
      new Weights() {
        @Override
        public void require(String name, long... shape) {}

        @Override
        public float[] read(String name, long... shape) {
          throw new IllegalStateException(name + Arrays.toString(shape) + " without a checkpoint");
        }
      };
}
