package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.model.Fp8Matrix;
import io.harmonica.model.Int4Matrix;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Weights;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.Supplier;

/**
 * Numbers that are kept as codes of few bits, in the nodes that runtimes make kernels of: a {@code
 * DequantizeLinear} makes numbers of the engine's precision of them.
 */
record Codes(Graph graph, Initializers initializers, Weights weights, Precision precision) {
  static final String QUANTIZE = "QuantizeLinear";
  private static final String DEQUANTIZE = "DequantizeLinear";

  static Codes of(OnnxOps ops) {
    return new Codes(ops.graph(), ops.initializers(), ops.weights(), ops.precision());
  }

  /**
   * What codes of activations stand for.
   *
   * @param scale in the type of x
   * @param scaleAsRead the same in the precision
   * @param zero the code of 0
   */
  Value rounded(Value x, Value scale, Value scaleAsRead, Stored code, int zero) {
    // Always stated: without it ONNX Runtime has no integer kernel.
    ByteBuffer bytes = ByteBuffer.wrap(new byte[] {(byte) zero});
    Value zeroPoint = graph.inline("zero" + code.number(), code, bytes);
    Value codes = graph.node(QUANTIZE, code.type(), List.of(x, scale, zeroPoint));
    return graph.node(DEQUANTIZE, precision.element(), List.of(codes, scaleAsRead, zeroPoint));
  }

  /** A number by its name. */
  Value number(Element as, String key, Supplier<Float> value) {
    return initializers.floats(key + as, as, () -> new float[] {value.get()});
  }

  /** A weight [out, in] in 8 bits, kept as codes [in, out]. */
  Value int8(String name, int in, int out) {
    Supplier<Int8Matrix> matrix =
        once(() -> Int8Matrix.of(weights.read(name, out, in), out, in, precision::held));
    return perOutput(
        name, Stored.INT8, () -> matrix.get().codes(), () -> matrix.get().scales(), in, out);
  }

  /** The same in floating-point numbers of 8 bits. */
  Value fp8(String name, int in, int out) {
    Supplier<Fp8Matrix> matrix =
        once(() -> Fp8Matrix.of(weights.read(name, out, in), out, in, precision::held));
    return perOutput(
        name, Stored.FP8, () -> matrix.get().codes(), () -> matrix.get().scales(), in, out);
  }

  /** The same in 4 bits, with scales [in / block, out]. */
  Value int4(String name, int in, int out, Int4Matrix.Rounding rounding) {
    Supplier<Int4Matrix> matrix =
        once(() -> rounding.of(name, weights.read(name, out, in), out, in));
    int block = Int4Matrix.block(in);
    Value codes =
        initializers.bytes(name + ".codes", Stored.INT4, () -> matrix.get().codes(), in, out);
    Value scales =
        initializers.floats(
            name + ".scales", precision.element(), () -> matrix.get().scales(), in / block, out);
    return graph.node(
        DEQUANTIZE,
        precision.element(),
        List.of(codes, scales),
        Graph.integer("axis", 0),
        Graph.integer("block_size", block));
  }

  private Value perOutput(
      String name, Stored code, Supplier<byte[]> codes, Supplier<float[]> scales, int in, int out) {
    Value kept =
        initializers.bytes(name + ".codes", code, () -> transpose(codes.get(), in), in, out);
    Value worth = initializers.floats(name + ".scales", precision.element(), scales, out);
    Value zeros = graph.inline(name + ".zeros", code, ByteBuffer.allocate(out), out);
    return graph.node(
        DEQUANTIZE, precision.element(), List.of(kept, worth, zeros), Graph.integer("axis", 1));
  }

  /** Asked for where the file has it not all. */
  private static <T> Supplier<T> once(Supplier<T> making) {
    return new Supplier<>() {
      private T made;

      @Override
      public T get() {
        if (made == null) {
          made = making.get();
        }
        return made;
      }
    };
  }

  private static byte[] transpose(byte[] codes, int columns) {
    int rows = codes.length / columns;
    byte[] transposed = new byte[codes.length];
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        transposed[c * rows + r] = codes[r * columns + c];
      }
    }
    return transposed;
  }
}
