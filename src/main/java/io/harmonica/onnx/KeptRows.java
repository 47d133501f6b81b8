package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.model.Ops;
import java.util.List;

/**
 * A branch's output as a cache keeps it in 8 bits: rows of unsigned bytes around 128, the last of
 * which says what the others are worth. (B, N, D) becomes (B, N, D + 1), a quarter of fp32.
 *
 * <p>A row's value of code 127 is a power of {@code 2^(1/4)}, the next above its largest number: so
 * a byte holds it from 2^-24 to 2^39, at 1.5 dB more noise at worst. All is arithmetic in fp32 up
 * to the last cast, as TensorRT has bytes at engines' ends only.
 */
public final class KeptRows {
  private static final int MOST = 127;
  private static final int ZERO = 128;
  private static final float STEPS = 4; // an octave
  private static final float LOWEST = -24; // octaves: code -128, the smallest largest number

  private final Graph graph;
  private final Ops<Value> ops;

  public KeptRows(Graph graph, Ops<Value> ops) {
    this.graph = graph;
    this.ops = ops;
  }

  /** The shape of what is kept of an output, both after the batch. */
  public static long[] shape(long... output) {
    long[] kept = output.clone();
    kept[kept.length - 1]++;
    return kept;
  }

  /** What to keep: uint8. */
  public Value of(Value output) {
    Value x = ops.toFloat(output);
    Value largest =
        graph.node(
            "ReduceMax",
            x.type(),
            List.of(graph.node("Abs", x.type(), List.of(x)), graph.integers(-1)));
    Value positive =
        graph.node("Max", x.type(), List.of(largest, number((float) Math.pow(2, LOWEST))));
    Value octaves =
        ops.mul(graph.node("Log", x.type(), List.of(positive)), number((float) (1 / Math.log(2))));
    Value steps =
        graph.node(
            "Ceil", x.type(), List.of(ops.mul(ops.sub(octaves, number(LOWEST)), number(STEPS))));
    Value scale = graph.node("Min", x.type(), List.of(steps, number(2 * ZERO - 1)));
    Value codes =
        ops.add(graph.node("Div", x.type(), List.of(x, worth(scale))), number(ZERO + 0.5f));
    return graph.cast(ops.concat(2, List.of(codes, scale)), Element.UINT8); // which cuts off
  }

  /** The output again, in the precision of activations. */
  public Value read(Value kept, long... output) {
    long width = output[output.length - 1];
    Value all = ops.toFloat(kept);
    Value codes = ops.sub(ops.slice(all, 2, 0, width), number(ZERO));
    return ops.toPrecision(ops.mul(codes, worth(ops.slice(all, 2, width, width + 1))));
  }

  /** What a code is worth in a row: (B, N, 1) from its byte. */
  private Value worth(Value scale) {
    Value octaves = ops.add(ops.mul(scale, number(1 / STEPS)), number(LOWEST));
    Value largest =
        graph.node("Exp", scale.type(), List.of(ops.mul(octaves, number((float) Math.log(2)))));
    return ops.mul(largest, number(1f / MOST));
  }

  private Value number(float value) {
    return ops.constant(new float[] {value}, 1);
  }
}
