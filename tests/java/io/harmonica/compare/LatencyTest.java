package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.withinPercentage;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class LatencyTest {

  @Test
  void of_takesTheNearestRank() {
    // 1..200 ms, shuffled by a step that is coprime to 200; four digits are within 0.01 %.
    long[] nanos = LongStream.range(0, 200).map(i -> (i * 73 % 200 + 1) * 1_000_000).toArray();
    Latency latency = Latency.of(nanos);
    assertThat(latency.p50Millis()).isCloseTo(100, withinPercentage(0.01));
    assertThat(latency.p90Millis()).isCloseTo(180, withinPercentage(0.01));
    assertThat(latency.p99Millis()).isCloseTo(198, withinPercentage(0.01));
  }

  @Test
  void of_isTheSlowest_forHighPercentilesOfFewRounds() {
    assertThat(Latency.of(new long[] {3_000_000, 1_000_000, 2_500_000}))
        .isEqualTo(new Latency(2.5, 3, 3));
  }

  @Test
  void of_takesHours() {
    long hours = 5 * 3600 * 1_000_000_000L;
    assertThat(Latency.of(new long[] {hours}).p50Millis())
        .isCloseTo(hours / 1e6, withinPercentage(0.01));
  }
}
