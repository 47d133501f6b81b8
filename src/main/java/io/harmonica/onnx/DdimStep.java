package io.harmonica.onnx;

import io.harmonica.Element;
import java.util.List;

/**
 * Guidance and a DDIM step as a graph (Song et al., arXiv 2010.02502, equation 12 without noise),
 * so that a server can go on to the next step by itself.
 */
public record DdimStep(Graph graph, int channels) {

  /**
   * The next sample.
   *
   * @param sample (B, C, H, W), the two halves of guidance alike
   * @param prediction (B, C or 2 C, H, W)
   * @param update (B, 4): noise, signal, next and direction of {@code sampler.Update}
   * @param guidance (B, C), the scale of each channel; 1 where it does not act
   * @param conditional int64 (B, 1), the row of the prediction that is conditional for this one
   * @param unconditional int64 (B, 1); the same without guidance
   */
  public Value next(
      Value sample,
      Value prediction,
      Value update,
      Value guidance,
      Value conditional,
      Value unconditional) {
    Value cond = rows(prediction, conditional); // (B, C, H, W)
    Value uncond = rows(prediction, unconditional); // (B, C, H, W)
    Value scale = reshape(guidance, 0, 0, 1, 1); // (B, C, 1, 1)
    Value noise = op("Add", uncond, op("Mul", scale, op("Sub", cond, uncond))); // (B, C, H, W)
    Value clean =
        op("Div", op("Sub", sample, op("Mul", number(update, 0), noise)), number(update, 1));
    return op("Add", op("Mul", number(update, 2), clean), op("Mul", number(update, 3), noise));
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
