package io.harmonica.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.harmonica.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class TorchFuzzTest {
  static Stream<byte[]> seeds() throws IOException {
    return Stream.of(
        Files.readAllBytes(TorchZip.resource("parallel.pt")),
        TorchZip.file(TorchZip.entries(TorchZip.resource("train.pt")), true));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000, maxDuration = "10s")
  void open_anyBytes_areReadOrRefused(byte[] content) {
    Mutations.refused(content, bytes -> TempFile.holding(bytes, ".pt", TorchFileTest::readAll));
  }
}
