package io.harmonica.model;

/**
 * A model's parameters as those in 8 bits stand for them: what an engine in int8 multiplies with.
 *
 * @param exact the parameters
 * @param maps whose weights are rounded
 */
public record Int8Weights(Weights exact, Int8Maps maps) implements ChangedWeights {
  @Override
  public float[] read(String name, long... shape) {
    float[] values = exact.read(name, shape);
    return maps.contains(name)
        ? Int8Matrix.of(values, (int) shape[0], (int) shape[1], scale -> scale).values()
        : values;
  }
}
