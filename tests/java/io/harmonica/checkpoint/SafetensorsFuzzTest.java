package io.harmonica.checkpoint;

import com.code_intelligence.jazzer.junit.FuzzTest;
import io.harmonica.Mutations;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

class SafetensorsFuzzTest {
  static Stream<byte[]> seeds() {
    return Stream.of(
        SafetensorsFileTest.file("{}", 0),
        SafetensorsFileTest.file(
            "{'__metadata__':{'x':'y'},'a':{'dtype':'F16','shape':[2,1],'data_offsets':[0,4]},"
                + "'b':{'dtype':'U8','shape':[],'data_offsets':[4,5]}}",
            5));
  }

  @MethodSource("seeds")
  @FuzzTest(maxExecutions = 5_000, maxDuration = "10s")
  void open_anyBytes_areReadOrRefused(byte[] content) {
    Mutations.refused(
        content, bytes -> TempFile.holding(bytes, ".safetensors", SafetensorsFileTest::readAll));
  }
}
