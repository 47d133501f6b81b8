package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

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
    long[] a = {1700, 3400, 5100, 1700, 3400};
    long[] b = {1000, 2000, 3000, 1000, 2000};
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

  /**
   * The interval holds the true ratio in about 95 of 100 comparisons. Of 400, three standard errors
   * are 3.3 points; a median's bootstrap of few rounds is coarser, so the bounds are 90 and 99 %.
   */
  @ParameterizedTest
  @CsvSource({"5", "12", "40"})
  void of_coversTheTrueRatio(int rounds) {
    Random random = new Random(7);
    int covered = 0;
    for (int i = 0; i < 400; i++) {
      long[][] latencies = simulated(rounds, random);
      Speedup speedup = Speedup.of(latencies[0], latencies[1], i);
      covered += speedup.low() <= RATIO && RATIO <= speedup.high() ? 1 : 0;
    }
    assertThat(covered).isBetween(360, 396);
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
