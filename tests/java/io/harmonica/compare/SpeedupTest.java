package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class SpeedupTest {
  private static final double RATIO = 1.7;

  @Test
  void of_takesTheMedianRatio() {
    Speedup speedup =
        Speedup.of(new long[] {200, 300, 900, 400}, new long[] {100, 100, 100, 100}, 0);
    assertThat(speedup.value()).isEqualTo(3.5);
    assertThat(speedup.least()).isEqualTo(2);
    assertThat(speedup.most()).isEqualTo(9);
  }

  @Test
  void of_isExact_whereDriftHitsBothAlike() {
    // The machine becomes three times slower; the pairs do not notice.
    long[] a = {1700, 3400, 5100, 1700, 3400, 1700};
    long[] b = {1000, 2000, 3000, 1000, 2000, 1000};
    assertThat(Speedup.of(a, b, 0)).isEqualTo(new Speedup(RATIO, RATIO, RATIO, RATIO, RATIO));
  }

  @Test
  void of_forgetsOneDisturbedRound() {
    long[] a = {1700, 1700, 1700, 1700, 1700};
    long[] b = {1000, 1000, 9000, 1000, 1000};
    Speedup speedup = Speedup.of(a, b, 0);
    assertThat(speedup.value()).isEqualTo(RATIO);
    assertThat(speedup.least()).isCloseTo(1.7 / 9, within(1e-12)); // but the spread shows it
  }

  @Test
  void of_repeats_withItsSeed() {
    long[][] rounds = simulated(15, new Random(1));
    Speedup speedup = Speedup.of(rounds[0], rounds[1], 5);
    assertThat(Speedup.of(rounds[0], rounds[1], 5)).isEqualTo(speedup);
  }

  /** How latencies scatter, as a factor; the ratio of two of a kind is symmetric around 1. */
  private enum Noise {
    /** 5 %, log-normal. */
    EVEN {
      @Override
      double factor(Random random) {
        return Math.exp(0.05 * random.nextGaussian());
      }
    },
    /** The same, and every tenth time something else held the machine up. */
    DISTURBED {
      @Override
      double factor(Random random) {
        double delay = random.nextInt(10) == 0 ? -0.4 * Math.log(1 - random.nextDouble()) : 0;
        return Math.exp(0.05 * random.nextGaussian() + delay);
      }
    },
    /** Never faster than a bound, with a long tail. */
    SKEWED {
      @Override
      double factor(Random random) {
        return 1 - 0.1 * Math.log(1 - random.nextDouble());
      }
    };

    abstract double factor(Random random);
  }

  /** Of 1,000 comparisons 93 to 97 % have the true ratio in their interval. */
  @ParameterizedTest
  @EnumSource
  void of_coversTheTrueRatio_atTheDefaultRounds(Noise noise) {
    assertThat(covered(1000, 20, RATIO, noise, 11)).isBetween(930, 970);
  }

  /** With other numbers of rounds too; the fewest make it wider than it need be. */
  @ParameterizedTest
  @CsvSource({"6", "8", "12", "40", "100"})
  void of_coversTheTrueRatio(int rounds) {
    assertThat(covered(1000, rounds, RATIO, Noise.EVEN, 7)).isBetween(930, 990);
  }

  /** A against A: at most 5 % of the intervals leave 1 out. */
  @ParameterizedTest
  @EnumSource
  void of_showsNoDifference_whereThereIsNone(Noise noise) {
    assertThat(1000 - covered(1000, 20, 1, noise, 5)).isBetween(10, 50);
  }

  /** In how many comparisons the interval holds the ratio. */
  private static int covered(int of, int rounds, double ratio, Noise noise, long seed) {
    Random random = new Random(seed);
    int covered = 0;
    for (int i = 0; i < of; i++) {
      long[] a = new long[rounds];
      long[] b = new long[rounds];
      for (int j = 0; j < rounds; j++) { // 50 ms, on a machine whose drift both share
        double machine = 5e7 * (1 + 0.5 * Math.sin(j));
        a[j] = (long) (machine * ratio * noise.factor(random));
        b[j] = (long) (machine * noise.factor(random));
      }
      Speedup speedup = Speedup.of(a, b, i, 1000);
      covered += speedup.low() <= ratio && ratio <= speedup.high() ? 1 : 0;
    }
    return covered;
  }

  @Test
  void of_hasNoInterval_ofTooFewRounds() {
    long[][] few = simulated(Speedup.LEAST_ROUNDS - 1, new Random(1));
    assertThat(Speedup.of(few[0], few[1], 0).hasInterval()).isFalse();
    long[][] enough = simulated(Speedup.LEAST_ROUNDS, new Random(1));
    Speedup speedup = Speedup.of(enough[0], enough[1], 0);
    assertThat(speedup.hasInterval()).isTrue();
    assertThat(speedup.low()).isBetween(speedup.least(), speedup.value());
    assertThat(speedup.high()).isBetween(speedup.value(), speedup.most());
  }

  @Test
  void of_narrows_withMoreRounds() {
    long[][] few = simulated(10, new Random(3));
    long[][] many = simulated(1000, new Random(3));
    Speedup coarse = Speedup.of(few[0], few[1], 0);
    Speedup fine = Speedup.of(many[0], many[1], 0);
    assertThat(fine.high() - fine.low()).isLessThan((coarse.high() - coarse.low()) / 3);
    assertThat(fine.value()).isCloseTo(RATIO, within(0.02));
  }

  @Test
  void of_refusesRoundsThatDoNotPair() {
    assertThatThrownBy(() -> Speedup.of(new long[3], new long[2], 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("3 of A, 2 of B");
  }

  /** Latencies about 50 ms with 5 % log-normal noise each and a drift of the machine in common. */
  private static long[][] simulated(int rounds, Random random) {
    long[][] latencies = new long[2][rounds];
    for (int i = 0; i < rounds; i++) {
      double machine = 5e7 * (1 + 0.5 * Math.sin(i));
      latencies[0][i] = (long) (machine * RATIO * Math.exp(0.05 * random.nextGaussian()));
      latencies[1][i] = (long) (machine * Math.exp(0.05 * random.nextGaussian()));
    }
    assertThat(Arrays.stream(latencies[1]).min().orElseThrow()).isPositive();
    return latencies;
  }
}
