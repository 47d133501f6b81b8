package io.harmonica.onnx;

import io.harmonica.Element;
import java.util.List;

/** The graphs behind all steps of a trajectory: pictures out of the rows of a pass. */
public final class Ending {
  private Ending() {}

  /**
   * The finished latents, a row for each picture. It fails where they are none.
   *
   * @param sample name of the input, fp32 (B or 2 B, C, H, W), the halves of guidance alike
   * @param guidance of an input of B rows; null where there is no second half
   * @param outputs names of the same latents, each for another reader: what an ensemble shows, none
   *     of its steps may read
   */
  public static Graph latents(String sample, String guidance, List<String> outputs, long... shape) {
    Graph graph = new Graph("end");
    Nodes nodes = new Nodes(graph);
    Value all = graph.input(sample, Element.FP32, shape);
    Value pictures = nodes.count(guidance == null ? all : graph.input(guidance, Element.FP32, 1));
    String why =
        "the picture is NaN or infinite: its numbers overflow (export with precision fp32)";
    Value own = nodes.rows(all, graph.zeroUnless(nodes.notFinite(all), why), pictures);
    outputs.forEach(output -> graph.output(output, own, shape));
    return graph;
  }

  /**
   * Pictures of 8 bits as {@code picture.Pictures} makes them: {@code x / 2 + 0.5}, clamped, times
   * 255, rounded half to even.
   *
   * @param pixels name of the input, fp32 (B, 1 or 3, H, W), about -1..1
   * @param image name of the output, uint8 (B, H, W, 3)
   */
  public static Graph image(String pixels, String image, int channels, long height, long width) {
    Graph graph = new Graph("pixels");
    Nodes nodes = new Nodes(graph);
    Value x = graph.input(pixels, Element.FP32, channels, height, width);
    Value wrong = graph.node("IsNaN", Element.BOOL, List.of(x));
    Value zero = graph.zeroUnless(wrong, "a pixel is NaN, which is no colour");
    Value bright = nodes.op("Add", nodes.op("Div", x, nodes.number(2)), nodes.number(0.5f));
    bright = nodes.op("Clip", bright, nodes.number(0), nodes.number(1));
    Value level = nodes.op("Round", nodes.op("Mul", bright, nodes.number(255)));
    Value bytes = graph.cast(level, Element.UINT8); // (B, C, H, W)
    if (channels == 1) {
      bytes = nodes.concat(1, bytes, bytes, bytes);
    }
    Value last =
        graph.node("Transpose", Element.UINT8, List.of(bytes), Graph.integers("perm", 0, 2, 3, 1));
    last = nodes.rows(last, zero, nodes.count(x)); // (B, H, W, 3)
    graph.output(image, last, height, width, 3);
    return graph;
  }
}
