package io.harmonica.model;

import java.util.Optional;

/** Another one's parameters, of which {@link #read} changes some. */
public interface ChangedWeights extends Weights {
  /** The parameters as they are. */
  Weights exact();

  @Override
  default void require(String name, long... shape) {
    exact().require(name, shape);
  }

  @Override
  default void requireNothingElse() {
    exact().requireNothingElse();
  }

  @Override
  default Optional<String> note() {
    return exact().note();
  }
}
