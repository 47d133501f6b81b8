package io.harmonica.generate;

/** The noise that pictures of a seed start from, for tests of other packages. */
public final class Starts {
  private Starts() {}

  /** Picture i has the noise of {@code seed + i}. */
  public static float[] of(long seed, int count, int size) {
    return new Noise(seed).start(count, size);
  }
}
