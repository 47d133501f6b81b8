package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.function.IntUnaryOperator;
import org.junit.jupiter.api.Test;

class RoundsTest {
  private final List<String> calls = new ArrayList<>();
  private final SenderTest.MadeUpClock clock = new SenderTest.MadeUpClock();

  private Outcome run(int count, WarmUp warmUp, long seed, Variant... variants) {
    return new Rounds(count, warmUp, Load.ONE_BY_ONE, seed)
        .run(List.of(variants), Rounds.SILENT, () -> false, clock);
  }

  @Test
  void run_runsEachVariantOnceARound() {
    run(6, WarmUp.fixed(0), 1, variant("a"), variant("b"), variant("c"));
    assertThat(calls).hasSize(18);
    for (int round = 0; round < 6; round++) {
      assertThat(calls.subList(3 * round, 3 * round + 3))
          .containsExactlyInAnyOrder("a" + round, "b" + round, "c" + round);
    }
  }

  @Test
  void run_drawsTheOrderAnew() {
    run(40, WarmUp.fixed(0), 1, variant("a"), variant("b"));
    long firsts =
        java.util.stream.IntStream.range(0, 40)
            .filter(round -> calls.get(2 * round).startsWith("a"))
            .count();
    assertThat(firsts).isBetween(10L, 30L);
    List<String> before = List.copyOf(calls);
    calls.clear();
    run(40, WarmUp.fixed(0), 1, variant("a"), variant("b"));
    assertThat(calls).isEqualTo(before);
    calls.clear();
    run(40, WarmUp.fixed(0), 2, variant("a"), variant("b"));
    assertThat(calls).isNotEqualTo(before);
  }

  @Test
  void run_dropsWarmUps() {
    Outcome outcome = run(2, WarmUp.fixed(3), 0, variant("a"));
    assertThat(calls).containsExactly("a0", "a0", "a0", "a0", "a1");
    // The fourth and the fifth call count.
    assertThat(outcome.measurements().get(0).timesNanos()).containsExactly(4, 5);
    assertThat(outcome.warmUps()).isEqualTo(3);
  }

  @Test
  void run_warmsUp_untilNoVariantGainsMoreThanAFewPercent() {
    int[] ofA = {1000, 700, 500, 480, 470};
    int[] ofB = {300, 300, 310, 299, 301};
    Outcome outcome =
        run(
            1,
            WarmUp.UNTIL_STABLE,
            0,
            variant("a", call -> ofA[Math.min(call, 4)]),
            variant("b", call -> ofB[Math.min(call, 4)]));
    assertThat(outcome.warmUps()).isEqualTo(4); // 500 to 480 is a gain of 4 %
    assertThat(outcome.stable()).isTrue();
  }

  @Test
  void run_warmsUpNoLongerThanItsMost() {
    Outcome outcome =
        run(1, WarmUp.UNTIL_STABLE, 0, variant("a", call -> 1_000_000 / (1 + call * call)));
    assertThat(outcome.warmUps()).isEqualTo(10);
    assertThat(outcome.stable()).isFalse();
  }

  @Test
  void run_pairsByRound_andKeepsTheOrderOfVariants() {
    List<Measurement> measurements =
        run(5, WarmUp.fixed(1), 3, variant("b"), variant("a")).measurements();
    assertThat(measurements).extracting(Measurement::name).containsExactly("b", "a");
    for (Measurement measurement : measurements) {
      assertThat(measurement.latents().values()).containsExactly(0, 1, 2, 3, 4);
    }
  }

  @Test
  void run_goesOnWithoutAVariantThatFails() {
    List<String> told = new ArrayList<>();
    Rounds.Listener listener =
        new Rounds.Listener() {
          @Override
          public void onFault(String variant, int round, String fault) {
            told.add(variant + " " + round + " " + fault);
          }
        };
    Variant mortal = variant("b", call -> failing(call, 4));
    Outcome outcome =
        new Rounds(6, WarmUp.fixed(1), Load.ONE_BY_ONE, 0)
            .run(List.of(variant("a"), mortal, variant("c")), listener, () -> false, clock);
    assertThat(told).containsExactly("b 3 the server is gone");
    assertThat(outcome.measurements().get(0).turns()).hasSize(6);
    assertThat(outcome.measurements().get(0).fault()).isEmpty();
    assertThat(outcome.measurements().get(1).turns()).hasSize(3);
    assertThat(outcome.measurements().get(1).fault()).contains("the server is gone");
  }

  @Test
  void run_ends_whereNothingIsLeftToCompare() {
    Outcome outcome =
        run(1_000_000, WarmUp.fixed(0), 0, variant("a"), variant("b", call -> failing(call, 4)));
    assertThat(outcome.measurements().get(0).turns()).hasSizeBetween(4, 5);
    assertThat(outcome.interrupted()).isFalse();
  }

  @Test
  void run_throws_whereAVariantFailsBeforeAnythingCounts() {
    Variant broken = variant("b", call -> failing(call, 0));
    assertThatThrownBy(() -> run(3, WarmUp.fixed(1), 0, variant("a"), broken))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage("the server is gone");
  }

  @Test
  void run_keepsWhatWasMeasured_whenItIsStopped() {
    Outcome outcome =
        new Rounds(100, WarmUp.fixed(1), Load.ONE_BY_ONE, 0)
            .run(
                List.of(variant("a"), variant("b")), Rounds.SILENT, () -> calls.size() >= 9, clock);
    assertThat(outcome.interrupted()).isTrue();
    assertThat(calls).hasSize(9); // 2 warm-ups, 3 whole rounds, one turn
    assertThat(outcome.measurements()).allSatisfy(m -> assertThat(m.turns()).hasSizeBetween(3, 4));
  }

  @Test
  void run_keepsWhatWasMeasured_whenATurnIsCancelled() {
    Variant cancelled =
        variant(
            "a",
            call -> {
              if (call == 3) {
                throw new CancellationException();
              }
              return 10;
            });
    Outcome outcome = run(10, WarmUp.fixed(0), 0, cancelled);
    assertThat(outcome.interrupted()).isTrue();
    assertThat(outcome.measurements().get(0).turns()).hasSize(3);
  }

  @Test
  void run_tellsItsOwnOverhead() {
    Rounds.Listener slow =
        new Rounds.Listener() {
          @Override
          public void onTurn(String variant, int round, boolean warmUp) {
            clock.work(3);
          }
        };
    Outcome outcome =
        new Rounds(10, WarmUp.fixed(2), Load.ONE_BY_ONE, 0)
            .run(List.of(variant("a", call -> 300)), slow, () -> false, clock);
    assertThat(outcome.overhead()).isEqualTo(0.01);
  }

  @Test
  void run_refusesTwoVariantsOfOneName() {
    assertThatThrownBy(() -> run(1, WarmUp.fixed(0), 0, variant("a"), variant("a")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[a, a]");
  }

  @Test
  void constructor_refusesNoRounds() {
    assertThatThrownBy(() -> new Rounds(0, WarmUp.fixed(0), Load.ONE_BY_ONE, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("`rounds` 0");
  }

  private static int failing(int call, int from) {
    if (call >= from) {
      throw new HarmonicaException("the server is gone");
    }
    return 10;
  }

  /** Its latency is the number of calls so far, its one sample the round. */
  private Variant variant(String name) {
    return variant(name, call -> calls.size());
  }

  /** Its latency follows from the number of its own calls before. */
  private Variant variant(String name, IntUnaryOperator nanos) {
    return new Variant() {
      private int count;

      @Override
      public String name() {
        return name;
      }

      @Override
      public int requests() {
        return 1;
      }

      @Override
      public Sample request(int round, int index) {
        calls.add(name + round);
        int time = nanos.applyAsInt(count++);
        clock.work(time);
        return new Sample(new Latents(new float[] {round}, 1, 1, 1, 1), time, time, 0, 1);
      }
    };
  }
}
