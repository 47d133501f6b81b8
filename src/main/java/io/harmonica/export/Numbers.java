package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.model.BranchMaps;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Int8Ops;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import java.util.Set;

/**
 * What engines compute in.
 *
 * @param maps names of the weights that are in 8 bits, where some are
 * @param signed whether TensorRT runs them, which takes zero for zero only
 */
record Numbers(Precision precision, Set<String> maps, boolean signed) {
  static Numbers of(Denoiser model, ExportOptions options) {
    Precision precision = options.precision();
    return new Numbers(
        precision,
        precision.isInt8() ? BranchMaps.of(model) : Set.of(),
        options.platform().isTensorRt());
  }

  /** Of what engines hand on. */
  Element element() {
    return precision.element();
  }

  /** What draws an engine. */
  Ops<Value> ops(Graph graph, Weights weights, WeightFile file) {
    OnnxOps ops = new OnnxOps(graph, weights, file, precision);
    return precision.isInt8() ? new Int8Ops(ops, maps, signed) : ops;
  }
}
