package io.harmonica.model;

/**
 * A model's parameters as engines in int4 have them: maps of tokens in 4 bits, those of vectors in
 * 8.
 *
 * @param exact the parameters
 * @param maps whose weights are rounded
 */
public record Int4Weights(Weights exact, Int8Maps maps, Int4Matrix.Rounding rounding)
    implements ChangedWeights {
  @Override
  public float[] read(String name, long... shape) {
    if (!maps.tokens().contains(name)) {
      return new Int8Weights(exact, maps).read(name, shape);
    }
    int out = (int) shape[0];
    int in = (int) shape[1];
    return rounding.of(name, exact.read(name, shape), out, in).values(out, in);
  }
}
