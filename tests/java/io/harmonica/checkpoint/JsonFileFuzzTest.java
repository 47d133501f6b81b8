package io.harmonica.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.harmonica.Mutations;
import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/** {@code config.json}; the index of shards is read the same way. */
class JsonFileFuzzTest {
  static Stream<byte[]> seeds() {
    return Stream.of("{}", "{\"a\":[1,-2.5e3,null,true,\"\\u00e9\\n\"],\"b\":{\"c\":\"é\"}}")
        .map(text -> text.getBytes(StandardCharsets.UTF_8));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000, maxDuration = "10s")
  void readObject_anyBytes_areReadOrRefused(byte[] content) {
    Mutations.refused(content, bytes -> TempFile.holding(bytes, ".json", JsonFile::readObject));
  }
}
