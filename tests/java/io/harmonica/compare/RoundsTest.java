package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.generate.Latents;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RoundsTest {
  private final List<String> calls = new ArrayList<>();

  @Test
  void run_runsEachVariantOnceARound() {
    new Rounds(6, 0, 1).run(List.of(variant("a"), variant("b"), variant("c")));
    assertThat(calls).hasSize(18);
    for (int round = 0; round < 6; round++) {
      assertThat(calls.subList(3 * round, 3 * round + 3))
          .containsExactlyInAnyOrder("a" + round, "b" + round, "c" + round);
    }
  }

  @Test
  void run_drawsTheOrderAnew() {
    new Rounds(40, 0, 1).run(List.of(variant("a"), variant("b")));
    long firsts =
        java.util.stream.IntStream.range(0, 40)
            .filter(round -> calls.get(2 * round).startsWith("a"))
            .count();
    assertThat(firsts).isBetween(10L, 30L);
    List<String> before = List.copyOf(calls);
    calls.clear();
    new Rounds(40, 0, 1).run(List.of(variant("a"), variant("b")));
    assertThat(calls).isEqualTo(before);
    calls.clear();
    new Rounds(40, 0, 2).run(List.of(variant("a"), variant("b")));
    assertThat(calls).isNotEqualTo(before);
  }

  @Test
  void run_dropsWarmUps() {
    List<Measurement> measurements = new Rounds(2, 3, 0).run(List.of(variant("a")));
    assertThat(calls).containsExactly("a0", "a0", "a0", "a0", "a1");
    // The fourth and the fifth call count.
    assertThat(measurements.get(0).latenciesNanos()).containsExactly(4, 5);
  }

  @Test
  void run_pairsByRound_andKeepsTheOrderOfVariants() {
    List<Measurement> measurements = new Rounds(5, 1, 3).run(List.of(variant("b"), variant("a")));
    assertThat(measurements).extracting(Measurement::name).containsExactly("b", "a");
    for (Measurement measurement : measurements) {
      assertThat(measurement.latents().values()).containsExactly(0, 1, 2, 3, 4);
    }
  }

  @Test
  void run_refusesTwoVariantsOfOneName() {
    assertThatThrownBy(() -> new Rounds(1, 0, 0).run(List.of(variant("a"), variant("a"))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("[a, a]");
  }

  @Test
  void constructor_refusesNoRounds() {
    assertThatThrownBy(() -> new Rounds(0, 0, 0))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("0 rounds");
  }

  /** Its latency is the number of calls so far, its one sample the round. */
  private Variant variant(String name) {
    return new Variant() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public Run run(int round) {
        calls.add(name + round);
        return new Run(calls.size(), new Latents(new float[] {round}, 1, 1, 1, 1));
      }
    };
  }
}
