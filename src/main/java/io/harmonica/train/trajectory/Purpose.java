package io.harmonica.train.trajectory;

/**
 * What random numbers are for, beside the iterations', which count up from 0: none share a seed.
 */
public enum Purpose {
  LAMBDA(40),
  /** Pictures that tables and weights are chosen by. */
  DECIDING(41),
  /** Pictures that only judge. */
  JUDGING(42),
  /** Pictures whose responses an exchange takes, other ones each round. */
  EXPLORING(43),
  /** Pictures that weights are fitted to. */
  FITTING(44),
  /** Learning-to-Cache's pictures to train on. */
  PICTURES(45),
  /** Directions that an exchange looks along, other ones each round. */
  DIRECTIONS(46),
  /** Pictures that weights are tuned to, other ones each round. */
  TUNING(47),
  /** Pictures whose passes are observed. */
  CALIBRATING(48);

  private final int bit;

  Purpose(int bit) {
    this.bit = bit;
  }

  /** A seed that follows from the run's. */
  public long seed(long run, long number) {
    return Batch.mix(run, (1L << bit) + number);
  }
}
