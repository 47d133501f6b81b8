package io.harmonica.model;

import java.util.Optional;
import java.util.Set;

/**
 * A model's parameters as those in 8 bits stand for them: what an engine in int8 multiplies with.
 *
 * @param exact the parameters
 * @param maps names of those that are rounded, linear maps' weights
 */
public record Int8Weights(Weights exact, Set<String> maps) implements Weights {
  @Override
  public void require(String name, long... shape) {
    exact.require(name, shape);
  }

  @Override
  public float[] read(String name, long... shape) {
    float[] values = exact.read(name, shape);
    return maps.contains(name)
        ? Int8Matrix.of(values, (int) shape[0], (int) shape[1], scale -> scale).values()
        : values;
  }

  @Override
  public void requireNothingElse() {
    exact.requireNothingElse();
  }

  @Override
  public Optional<String> note() {
    return exact.note();
  }
}
