package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Ops;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Int8Ops;
import io.harmonica.onnx.KeptRows;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;

/**
 * What engines compute in.
 *
 * @param maps that are in 8 bits; null where none are
 * @param cacheInt8 whether caches keep branches' outputs in 8 bits
 * @param signed whether TensorRT runs them, which takes zero for zero only
 */
record Numbers(Precision precision, Int8Maps maps, boolean cacheInt8, boolean signed) {
  static Numbers of(Denoiser model, ExportOptions options) {
    Precision precision = options.precision();
    return new Numbers(
        precision,
        precision.isInt8() ? Int8Maps.of(model) : null,
        options.numerics().cacheInt8(),
        options.platform().isTensorRt());
  }

  /** Of what engines hand on. */
  Element element() {
    return precision.element();
  }

  /**
   * A branch's output as caches keep it.
   *
   * @param shape of the output, after the batch
   */
  Port kept(String name, long... shape) {
    return cacheInt8
        ? new Port(name, Element.UINT8, KeptRows.shape(shape))
        : new Port(name, element(), shape);
  }

  /** What draws an engine. */
  Ops<Value> ops(Graph graph, Weights weights, WeightFile file) {
    OnnxOps ops = new OnnxOps(graph, weights, file, precision);
    return precision.isInt8() ? new Int8Ops(ops, maps, signed) : ops;
  }

  /** What caches keep, for one sample. */
  CacheBytes cacheBytes(Denoiser denoiser) {
    return CacheBytes.of(
        denoiser,
        output -> kept("", output).sizeBytes(1).orElseThrow(),
        stream -> new Port("", element(), stream).sizeBytes(1).orElseThrow());
  }
}
