package io.harmonica.onnx;

import java.util.List;
import java.util.Optional;

/**
 * Guidance and a deterministic step as a graph, so that a server can go on to the next step by
 * itself. The step's numbers come from outside, as {@code sampler.Linear} has them: the graph is
 * the same for DDIM, DPM-Solver++ and what else is linear.
 */
public final class LinearStep {
  private final Nodes nodes;
  private final int channels;

  /** Of samples of so many channels, to be added to a graph. */
  public LinearStep(Graph graph, int channels) {
    this.nodes = new Nodes(graph);
    this.channels = channels;
  }

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
    Value scale = nodes.reshape(guidance, 0, 0, 1, 1); // (B, C, 1, 1)
    Value output =
        nodes.op(
            "Add", uncond, nodes.op("Mul", scale, nodes.op("Sub", cond, uncond))); // (B, C, H, W)
    Value picture =
        nodes.op(
            "Div",
            nodes.op("Add", times(update, 0, sample), times(update, 1, output)),
            number(update, 2)); // (B, C, H, W)
    Value next =
        nodes.op("Add", times(update, 4, picture), times(update, 5, output)); // (B, C, H, W)
    next = nodes.op("Add", times(update, 3, sample), next);
    Value change = timesUnless0(number(update, 6), nodes.op("Sub", picture, state));
    if (start.isEmpty()) {
      return new Made(nodes.op("Add", next, change), picture, start);
    }
    Value from = timesUnless0(number(update, 7), start.get());
    from = nodes.op("Add", from, timesUnless0(number(update, 8), state));
    next = nodes.op("Add", nodes.op("Add", next, from), change);
    Value leaves = is0(number(update, 9)); // (B, 1, 1, 1), bool
    return new Made(
        next, where(leaves, picture, state), Optional.of(where(leaves, sample, start.get())));
  }

  private Value times(Value update, int index, Value x) {
    return nodes.op("Mul", number(update, index), x);
  }

  /** A product that is 0 where its number is, whatever the change: 0 times NaN were NaN. */
  private Value timesUnless0(Value number, Value change) {
    return where(is0(number), nodes.number(0), nodes.op("Mul", number, change));
  }

  private Value is0(Value number) {
    return nodes.test("Equal", number, nodes.number(0));
  }

  private Value where(Value condition, Value yes, Value no) {
    return nodes.graph().node("Where", no.type(), List.of(condition, yes, no));
  }

  private Value rows(Value prediction, Value index) {
    Value rows = nodes.gather(prediction, nodes.reshape(index, -1));
    return nodes.slice(rows, 1, 0, channels); // a learned variance is left out
  }

  private Value number(Value update, int index) {
    return nodes.reshape(nodes.slice(update, 1, index, index + 1), 0, 1, 1, 1); // (B, 1, 1, 1)
  }
}
