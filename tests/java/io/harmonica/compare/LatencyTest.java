package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LatencyTest {

  @Test
  void of_takesTheNearestRank() {
    // 1..200 ms, shuffled by a step that is coprime to 200.
    long[] nanos = LongStream.range(0, 200).map(i -> (i * 73 % 200 + 1) * 1_000_000).toArray();
    assertThat(Latency.of(nanos)).isEqualTo(new Latency(100, 180, 198));
  }

  @Test
  void of_isTheSlowest_forHighPercentilesOfFewRounds() {
    assertThat(Latency.of(new long[] {3_000_000, 1_000_000, 2_500_000}))
        .isEqualTo(new Latency(2.5, 3, 3));
  }
}
