package io.harmonica.onnx;

import io.harmonica.Element;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/**
 * The graph that makes the noise which a picture starts from of its seed, without weights: the same
 * numbers as {@code generate.Noise}, which says how, by Philox 4x32-10 and Box and Muller.
 *
 * <p>Words of 32 bits are int64 here, and products of two of them are made of halves: no operator
 * multiplies integers without sign.
 */
public final class SeededNoise {
  private static final long LOW = 0xFFFF_FFFFL;
  private static final long HALF = 1 << 16;
  private static final long WORD = 1L << 32;
  private static final int ROUNDS = 10;
  private static final int BLOCK = 4;

  private final Graph graph = new Graph("noise");
  private final Nodes nodes = new Nodes(graph);

  private SeededNoise() {}

  /**
   * Of a seed for each picture, int64 (B, 1).
   *
   * @param noise name of the output, fp32 (B, C, H, W)
   */
  public static Graph graph(String seed, String noise, long... shape) {
    return new SeededNoise().drawn(seed, noise, shape);
  }

  private Graph drawn(String seed, String noise, long... shape) {
    long size = Arrays.stream(shape).reduce(1, Math::multiplyExact);
    long blocks = (size + BLOCK - 1) / BLOCK;
    Value[] numbers = philox(graph.input(seed, Element.INT64, 1), blocks);
    Value[] values = new Value[BLOCK];
    for (int pair = 0; pair < BLOCK; pair += 2) {
      Value log = nodes.op("Log", uniform(numbers[pair]));
      Value radius = nodes.op("Sqrt", nodes.op("Mul", log, fp64(-2)));
      Value angle = nodes.op("Mul", uniform(numbers[pair + 1]), fp64(2 * Math.PI));
      Value quarter = nodes.op("Add", angle, fp64(Math.PI / 2)); // fp64 has Sin, but no Cos
      values[pair] = nodes.op("Mul", radius, nodes.op("Sin", quarter));
      values[pair + 1] = nodes.op("Mul", radius, nodes.op("Sin", angle));
    }
    Value[] columns = Arrays.stream(values).map(this::column).toArray(Value[]::new);
    Value rows = nodes.reshape(nodes.concat(2, columns), -1, BLOCK * blocks);
    Value used = nodes.slice(rows, 1, 0, size);
    long[] whole = new long[shape.length + 1];
    whole[0] = -1;
    System.arraycopy(shape, 0, whole, 1, shape.length);
    graph.output(noise, nodes.reshape(graph.cast(used, Element.FP32), whole), shape);
    return graph;
  }

  /** The four words of every block, each (B, blocks). */
  private Value[] philox(Value seed, long blocks) {
    Value key0 = low(seed);
    Value key1 = low(nodes.op("Div", nodes.op("Sub", seed, key0), nodes.integer(WORD)));
    Value zero = graph.integers(0);
    Value all = nodes.op("Range", nodes.integer(0), nodes.integer(blocks), nodes.integer(1));
    Value[] words = {nodes.reshape(all, 1, blocks), zero, zero, zero};
    for (int round = 0; round < ROUNDS; round++) {
      Value[] product0 = product(words[0], 0xD251_1F53L);
      Value[] product1 = product(words[2], 0xCD9E_8D57L);
      words =
          new Value[] {
            xor(product1[0], words[1], key0),
            product1[1],
            xor(product0[0], words[3], key1),
            product0[1]
          };
      key0 = low(nodes.op("Add", key0, nodes.integer(0x9E37_79B9L)));
      key1 = low(nodes.op("Add", key1, nodes.integer(0xBB67_AE85L)));
    }
    return words;
  }

  /** The upper and the lower word of a product, whose parts stay below 2^49. */
  private Value[] product(Value word, long factor) {
    Value half = nodes.integer(HALF);
    Value upper = nodes.op("Mul", nodes.op("Div", word, half), nodes.integer(factor));
    Value lower = nodes.op("Mul", and(word, HALF - 1), nodes.integer(factor));
    Value shifted = nodes.op("Mul", and(upper, HALF - 1), half);
    Value sum = nodes.op("Add", lower, shifted);
    Value high =
        nodes.op("Add", nodes.op("Div", upper, half), nodes.op("Div", sum, nodes.integer(WORD)));
    return new Value[] {high, low(sum)};
  }

  private Value low(Value x) {
    return and(x, LOW);
  }

  private Value and(Value x, long mask) {
    return nodes.op("BitwiseAnd", x, nodes.integer(mask));
  }

  private Value xor(Value a, Value b, Value c) {
    return nodes.op("BitwiseXor", nodes.op("BitwiseXor", a, b), c);
  }

  private Value uniform(Value word) {
    Value middle = nodes.op("Add", graph.cast(word, Element.FP64), fp64(0.5));
    return nodes.op("Mul", middle, fp64(0x1p-32));
  }

  private Value column(Value x) {
    return graph.node("Unsqueeze", x.type(), List.of(x, graph.integers(2)));
  }

  private Value fp64(double value) {
    ByteBuffer bytes = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putDouble(0, value);
    return graph.inline("fp64 " + value, Element.FP64, bytes);
  }
}
