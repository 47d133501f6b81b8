package io.harmonica.repository;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.harmonica.Mutations;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** A model's {@code config.pbtxt} and the manifest in it: a repository may hold anybody's. */
class ConfigFileFuzzTest {
  static Stream<byte[]> seeds() {
    return Stream.of(
            "name: \"a\" max_batch_size: 4 input { name: \"x\" data_type: TYPE_FP32 dims: [ 3, -1 ] }",
            "parameters { key: \"harmonica\" value { string_value: \"{\\\"format\\\": \\\"harmonica-model/1\\\"}\" } }",
            "ensemble_scheduling { step { model_name: \"m\" input_map { key: \"a\" value: \"b\" } } }")
        .map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000, maxDuration = "10s")
  void parse_anyBytes_areReadOrRefused(byte[] content) {
    Mutations.refused(
        content,
        bytes -> Manifest.of(ConfigFile.parse(new String(bytes, StandardCharsets.UTF_8), "fuzz")));
  }
}
