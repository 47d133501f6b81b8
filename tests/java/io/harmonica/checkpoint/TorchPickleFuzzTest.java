package io.harmonica.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.harmonica.Mutations;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class TorchPickleFuzzTest {
  static Stream<byte[]> seeds() {
    return Stream.of("tensors", "train", "protocol4", "parallel")
        .map(name -> TorchZip.entries(TorchZip.resource(name + ".pt")).get(name + "/data.pkl"));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000, maxDuration = "10s")
  void open_anyPickle_isReadOrRefused(byte[] pickle) {
    Mutations.refused(
        TorchZip.file(pickle), bytes -> TempFile.holding(bytes, ".pt", TorchFileTest::readAll));
  }
}
