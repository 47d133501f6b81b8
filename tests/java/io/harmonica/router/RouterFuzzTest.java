package io.harmonica.router;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.harmonica.Mutations;
import io.harmonica.Timesteps;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** Router files; what is read can also be scheduled. */
class RouterFuzzTest {
  static Stream<byte[]> seeds() {
    Timesteps timesteps = Timesteps.of(List.of(750, 500, 250, 0));
    List<String> branches = List.of("block00.attention", "block00.mlp");
    return Stream.of(new Fora(2), new Taylor(2, 1), new Taylor(2, 2), new RandomReuse(0.4, 1))
        .map(policy -> policy.router("r", "DiT-1x8/2", "ddim", timesteps, branches).toJson())
        .map(json -> json.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000, maxDuration = "10s")
  void parse_anyBytes_areReadOrRefused(byte[] content) {
    Mutations.refused(
        content,
        bytes -> Schedule.of(Router.parse(new String(bytes, StandardCharsets.UTF_8), "fuzz")));
  }
}
