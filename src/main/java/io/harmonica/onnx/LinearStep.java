package io.harmonica.onnx;

import io.harmonica.Element;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Guidance and a deterministic step as a graph, so that a server can go on to the next step by
 * itself. The step's numbers come from outside, as {@code sampler.Linear} has them: the graph is
 * the same for DDIM, DPM-Solver++ and what else is linear.
 */
public record LinearStep(Graph graph, int channels) {

  /**
   * What it makes, each (B, C, H, W).
   *
   * @param state of the next step: the picture that the output means, or what is kept of one
   * @param start of the next step: the sample, or what is kept of one; where it was given
   */
  public record Made(Value sample, Value state, Optional<Value> start) {}

  /**
   * The next sample.
   *
   * @param sample (B, C, H, W), the two halves of guidance alike
   * @param prediction (B, C or 2 C, H, W)
   * @param state (B, C, H, W), the picture of an earlier step; not read where its number is 0
   * @param start (B, C, H, W), the sample of an earlier step, where steps may go on with an update
   * @param update (B, 10), the numbers of {@code sampler.Linear}; (B, 7) without a start
   * @param guidance (B, C), the scale of each channel; 1 where it does not act
   * @param conditional int64 (B, 1), the row of the prediction that is conditional for this one
   * @param unconditional int64 (B, 1); the same without guidance
   */
  public Made next(
      Value sample,
      Value prediction,
      Value state,
      Optional<Value> start,
      Value update,
      Value guidance,
      Value conditional,
      Value unconditional) {
    Value cond = rows(prediction, conditional); // (B, C, H, W)
    Value uncond = rows(prediction, unconditional); // (B, C, H, W)
    Value scale = reshape(guidance, 0, 0, 1, 1); // (B, C, 1, 1)
    Value output = op("Add", uncond, op("Mul", scale, op("Sub", cond, uncond))); // (B, C, H, W)
    Value picture =
        op(
            "Div",
            op("Add", times(update, 0, sample), times(update, 1, output)),
            number(update, 2)); // (B, C, H, W)
    Value next = op("Add", times(update, 4, picture), times(update, 5, output)); // (B, C, H, W)
    next = op("Add", times(update, 3, sample), next);
    Value change = timesUnless0(number(update, 6), op("Sub", picture, state));
    if (start.isEmpty()) {
      return new Made(op("Add", next, change), picture, start);
    }
    Value from = timesUnless0(number(update, 7), start.get());
    from = op("Add", from, timesUnless0(number(update, 8), state));
    next = op("Add", op("Add", next, from), change);
    Value leaves = is0(number(update, 9)); // (B, 1, 1, 1), bool
    return new Made(
        next, where(leaves, picture, state), Optional.of(where(leaves, sample, start.get())));
  }

  private Value times(Value update, int index, Value x) {
    return op("Mul", number(update, index), x);
  }

  /** A product that is 0 where its number is, whatever the change: 0 times NaN were NaN. */
  private Value timesUnless0(Value number, Value change) {
    return where(is0(number), zero(), op("Mul", number, change));
  }

  private Value is0(Value number) {
    return graph.node("Equal", Element.BOOL, List.of(number, zero()));
  }

  private Value zero() {
    return graph.inline("zero", Element.FP32, ByteBuffer.allocate(Float.BYTES));
  }

  private Value where(Value condition, Value yes, Value no) {
    return graph.node("Where", no.type(), List.of(condition, yes, no));
  }

  private Value rows(Value prediction, Value index) {
    Value flat = graph.node("Reshape", Element.INT64, List.of(index, graph.integers(-1)));
    Value rows =
        graph.node(
            "Gather", prediction.type(), List.of(prediction, flat), Graph.integer("axis", 0));
    return slice(rows, 0, channels); // a learned variance is left out
  }

  private Value number(Value update, int index) {
    return reshape(slice(update, index, index + 1), 0, 1, 1, 1); // (B, 1, 1, 1)
  }

  private Value slice(Value x, long from, long to) {
    List<Value> operands = List.of(x, graph.integers(from), graph.integers(to), graph.integers(1));
    return graph.node("Slice", x.type(), operands);
  }

  private Value reshape(Value x, long... shape) {
    return graph.node("Reshape", x.type(), List.of(x, graph.integers(shape)));
  }

  private Value op(String name, Value a, Value b) {
    return graph.node(name, a.type(), List.of(a, b));
  }
}
