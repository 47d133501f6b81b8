package io.harmonica.torch;

import io.harmonica.Element;
import io.harmonica.model.Ops;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;

/** An engine of one linear map, {@code map}, of parameters that NumPy has used, too. */
final class MapEngine {
  private MapEngine() {}

  /**
   * Runs it.
   *
   * @param in the interpreter that draws it
   * @param settings of ONNX Runtime
   * @param x what the map reads, its channels last
   * @param out the map's outputs
   */
  static float[] run(
      Path folder,
      Weights weights,
      io.harmonica.onnx.Precision precision,
      Function<OnnxOps, Ops<Value>> in,
      Map<String, String> settings,
      Floats x,
      int out)
      throws IOException {
    try (WeightFile file = WeightFile.create(folder.resolve(WeightFile.NAME))) {
      Graph graph = new Graph("map");
      Ops<Value> ops = in.apply(new OnnxOps(graph, weights, file, precision));
      long[] after = Arrays.copyOfRange(x.shape(), 1, x.shape().length);
      long[] made = after.clone();
      made[made.length - 1] = out;
      int channels = Math.toIntExact(after[after.length - 1]);
      Value read = graph.input("x", Element.FP32, after);
      graph.output("y", ops.linear(read, "map", channels, out), made);
      return Evaluation.run(graph.model(), folder, Map.of("x", x), settings).get("y").values();
    }
  }
}
