package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.model.Flops;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TargetSpeedupTest {
  private static final List<String> BRANCHES = Routers.branches(10); // attention 2, MLP 3 a block
  private static final Flops FLOPS =
      new Flops(5, IntStream.range(0, 20).mapToObj(b -> b % 2 == 0 ? 20L : 30L).toList());

  private static TargetSpeedup target(double speedup, int steps) {
    return new TargetSpeedup(speedup, FLOPS, steps, BRANCHES);
  }

  private static double met(Policy policy, int steps) {
    Router router = policy.router("p", "dit", "ddim", Routers.timesteps(steps), BRANCHES);
    return Savings.speedup(router.computes(), FLOPS);
  }

  @ParameterizedTest
  @CsvSource({"10, 1.3", "10, 2.0", "20, 1.3", "20, 1.5", "20, 2.0", "50, 1.3", "50, 1.7"})
  void fora_computesTheStepsThatTheSpeedupLeaves(int steps, double speedup) {
    Fora fora = target(speedup, steps).fora();
    boolean[][] table = fora.computes(steps, BRANCHES);
    long full = IntStream.range(0, steps).filter(s -> table[s][0]).count();
    assertThat((double) full).isCloseTo(steps / speedup, within(0.6)); // embed and head cost 1 %
    assertThat(fora.interval()).isEqualTo((double) steps / full);
    for (int other = 1; other <= steps; other++) {
      double distance = Math.abs(met(new Fora((double) steps / other), steps) - speedup);
      assertThat(distance).isGreaterThanOrEqualTo(Math.abs(met(fora, steps) - speedup));
    }
    assertThat(target(speedup, steps).taylor(2)).isEqualTo(new Taylor(fora.interval(), 2));
  }

  @ParameterizedTest
  @CsvSource({"10", "20", "50", "7"})
  void fora_withAnyNumberOfFullSteps_spreadsThemEvenly(int steps) {
    for (int full = 1; full <= steps; full++) {
      boolean[][] table = new Fora((double) steps / full).computes(steps, BRANCHES);
      List<Integer> computed = IntStream.range(0, steps).filter(s -> table[s][0]).boxed().toList();
      assertThat(computed).hasSize(full).startsWith(0);
      for (int i = 1; i < full; i++) {
        double gap = computed.get(i) - computed.get(i - 1);
        assertThat(gap).isCloseTo((double) steps / full, within(1.0));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"10, 1.3", "10, 1.5", "20, 1.5", "20, 2.0", "50, 1.3", "50, 2.0"})
  void random_meetsTheSpeedupToABranch(int steps, double speedup) {
    double branch = 30.0 / (505 * steps); // the largest one's part of the whole
    double met = met(target(speedup, steps).random(3), steps);
    assertThat(1 / met).isCloseTo(1 / speedup, within(branch));
  }

  @ParameterizedTest
  @CsvSource({"10, 1.3", "10, 1.5", "20, 1.5", "20, 2.0", "50, 1.3", "50, 2.0"})
  void deltaDit_meetsTheSpeedupAtUsualIntervals(int steps, double speedup) {
    DeltaDit policy = target(speedup, steps).deltaDit();
    assertThat(policy.interval()).isBetween(2, 4);
    assertThat(met(policy, steps))
        .isCloseTo(speedup, within(0.04 * speedup)); // a block is 6 % at most
    assertThat(policy.computes(steps, BRANCHES)[1]).contains(true); // not all blocks are skipped
  }

  @Test
  void deltaDit_ofASpeedupBeyond_takesALongerInterval() {
    DeltaDit policy = target(5, 50).deltaDit();
    assertThat(policy.interval()).isGreaterThan(4);
    assertThat(met(policy, 50)).isCloseTo(5, within(0.1));
  }

  @Test
  void one_computesEverything() {
    assertThat(target(1, 10).fora()).isEqualTo(new Fora(1));
    assertThat(target(1, 10).random(0).cur()).isZero();
    assertThat(met(target(1, 10).deltaDit(), 10)).isEqualTo(1);
  }

  @Test
  void whatCannotBeReached_isTheNearest() {
    assertThat(target(500, 10).fora()).isEqualTo(new Fora(10));
    assertThat(target(500, 10).random(0).cur()).isEqualTo(0.9);
  }

  @Test
  void speedup_belowOne_isRefused() {
    assertThatThrownBy(() -> target(0.9, 10))
        .hasMessage("target-speedup is 0.9, expected at least 1");
  }
}
