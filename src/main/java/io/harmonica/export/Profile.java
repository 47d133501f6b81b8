package io.harmonica.export;

import io.harmonica.Port;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.LongStream;

/**
 * The shapes of an engine's inputs that TensorRT builds for: {@code hidden:2x16x32,mask:2x9}, as
 * {@code trtexec} and ONNX Runtime both write them.
 *
 * @param min the smallest
 * @param opt those that it is optimised for
 * @param max the largest
 */
record Profile(String min, String opt, String max) {

  /** Of batches from one up to so many; optimised for guidance's pair. */
  static Profile ofBatches(List<Port> inputs, int most) {
    return new Profile(shapes(inputs, 1), shapes(inputs, Math.min(2, most)), shapes(inputs, most));
  }

  /** Of an input that differs in size; most often it is a single row of the largest. */
  static Profile ofSizes(Port smallest, Port largest, int most) {
    List<Port> usual = List.of(largest);
    return new Profile(shapes(List.of(smallest), 1), shapes(usual, 1), shapes(usual, most));
  }

  /** As options of {@code trtexec}. */
  String trtexec() {
    return "--minShapes=" + min + " --optShapes=" + opt + " --maxShapes=" + max;
  }

  private static String shapes(List<Port> inputs, int batch) {
    return inputs.stream()
        .map(
            port ->
                port.name()
                    + ":"
                    + LongStream.of(port.batched(batch))
                        .mapToObj(Long::toString)
                        .collect(Collectors.joining("x")))
        .collect(Collectors.joining(","));
  }
}
