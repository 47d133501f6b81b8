package io.harmonica.model;

/**
 * A model's parameters as engines in fp8 have them: maps of tokens in floating-point numbers of 8
 * bits, those of vectors in 8 bits as in int8.
 *
 * @param exact the parameters
 * @param maps whose weights are rounded
 */
public record Fp8Weights(Weights exact, Int8Maps maps) implements ChangedWeights {
  @Override
  public float[] read(String name, long... shape) {
    return maps.tokens().contains(name)
        ? Fp8Matrix.of(exact.read(name, shape), (int) shape[0], (int) shape[1], scale -> scale)
            .values()
        : new Int8Weights(exact, maps).read(name, shape);
  }
}
