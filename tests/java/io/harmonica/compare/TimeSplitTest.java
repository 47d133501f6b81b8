package io.harmonica.compare;

import static io.harmonica.compare.TimeSplit.Part.BLOCKS;
import static io.harmonica.compare.TimeSplit.Part.EMBED;
import static io.harmonica.compare.TimeSplit.Part.HANDING_ON;
import static io.harmonica.compare.TimeSplit.Part.HEAD;
import static io.harmonica.compare.TimeSplit.Part.LOOP;
import static io.harmonica.compare.TimeSplit.Part.QUEUE;
import static io.harmonica.compare.TimeSplit.Part.TRANSFER;
import static io.harmonica.compare.TimeSplit.Part.WAITING;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.picture.Latents;
import io.harmonica.repository.Role;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Traffic;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class TimeSplitTest {
  private static final long MS = 1_000_000;

  private static final Map<String, Role> ROLES =
      Map.of(
          "m", Role.call("none"),
          "m-step-fast-route03", Role.call("step-fast"),
          "m-step-fast-stretch03", Role.call("step-fast"),
          "m-embed", Role.of(Role.Kind.EMBED),
          "m-block00-cc", Role.block("00", "cc"),
          "m-block01-03-c1c1c1", Role.block("01-03", "c1c1c1"),
          "m-step-cccc", Role.step("cccc"),
          "m-head", Role.of(Role.Kind.HEAD),
          "m-sampler", Role.of(Role.Kind.SAMPLER));

  @Test
  void of_takesEnginesOfTheEmbeddedRuntime() {
    Map<TimeSplit.Part, Double> split =
        split(
            Map.of(
                "m-embed", model(5, 0, 5),
                "m-block00-cc", model(30, 0, 30),
                "m-block01-03-c1c1c1", model(40, 0, 40),
                "m-head", model(3, 0, 3)));
    assertThat(split)
        .containsEntry(WAITING, 20.0) // due for 120, under way for 100
        .containsEntry(LOOP, 10.0) // 90 of the 100 in the runtime
        .containsEntry(EMBED, 5.0)
        .containsEntry(BLOCKS, 70.0)
        .containsEntry(HEAD, 3.0)
        .containsEntry(HANDING_ON, 12.0)
        .containsEntry(TRANSFER, 0.0)
        .containsEntry(QUEUE, 0.0);
  }

  @Test
  void of_takesQueueAndTransfer_fromATritonServersStatistics() {
    Map<TimeSplit.Part, Double> split =
        split(
            Map.of(
                "m", model(30, 0, 0),
                "m-step-fast-route03", model(50, 0, 0), // a router that is called step-fast
                "m-step-cccc", model(62, 2, 60),
                "m-xl-step-cccc", model(1000, 500, 500), // of model m-xl
                "somebody-elses", model(1000, 500, 500)));
    assertThat(split)
        .containsEntry(TRANSFER, 10.0) // 90 in the runtime, 80 on the server
        .containsEntry(BLOCKS, 60.0)
        .containsEntry(QUEUE, 2.0)
        .containsEntry(HANDING_ON, 18.0);
  }

  @Test
  void of_takesTheSamplersEngine_asTheLoop() {
    Map<TimeSplit.Part, Double> split =
        split(
            Map.of(
                "m-step-fast-stretch03", model(80, 0, 0),
                "m-step-cccc", model(60, 0, 60),
                "m-sampler", model(7, 0, 7)));
    assertThat(split)
        .containsEntry(LOOP, 17.0)
        .containsEntry(TRANSFER, 10.0)
        .containsEntry(BLOCKS, 60.0)
        .containsEntry(HANDING_ON, 13.0);
  }

  private static Map<TimeSplit.Part, Double> split(Map<String, Statistics.Model> models) {
    Latents latents = new Latents(new float[1], 1, 1, 1, 1);
    Turn turn =
        new Turn(
            120 * MS,
            120 * MS,
            new long[] {120 * MS},
            List.of(new Variant.Sample(latents, 100 * MS, 90 * MS, 0, 20)),
            new Statistics(models, Traffic.NONE));
    // Two rounds alike: the numbers are means of a request.
    Measurement measurement = new Measurement("v", List.of(turn, turn), Optional.empty());
    return TimeSplit.of(measurement, ROLES).millis();
  }

  private static Statistics.Model model(long total, long queue, long compute) {
    return new Statistics.Model(1, total * MS, queue * MS, compute * MS);
  }
}
