package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.InvalidProperty;
import io.harmonica.Port;
import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Smoothing;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Denoiser;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Ops;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Int8Ops;
import io.harmonica.onnx.KeptRows;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import java.util.Optional;

/**
 * What engines compute in.
 *
 * @param maps that are in 8 bits; null where none are
 * @param smoothing of what maps read; empty where each token has a scale of its own
 * @param cacheInt8 whether caches keep branches' outputs in 8 bits
 * @param signed whether TensorRT runs them, which takes zero for zero only
 */
record Numbers(
    Precision precision,
    Int8Maps maps,
    Optional<Smoothing> smoothing,
    boolean cacheInt8,
    boolean signed) {

  static Numbers of(Model model, ExportOptions options) {
    Precision precision = options.precision();
    Denoiser denoiser = model.denoiser();
    Optional<Observed> ranges = options.numerics().ranges();
    if (precision.isStatic() != ranges.isPresent()) {
      throw new InvalidProperty(
          "ranges",
          precision.isStatic()
              ? "are missing: `precision` %s needs what harmonica calibrate observed"
                  .formatted(precision.word())
              : "have no effect with `precision` %s: leave one of them out"
                  .formatted(precision.word()));
    }
    return new Numbers(
        precision,
        precision.isInt8() ? Int8Maps.of(denoiser) : null,
        ranges.map(known -> new Smoothing(Site.of(denoiser), known::largest, model.weights())),
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
    Weights held = smoothing.map(Smoothing::weights).orElse(weights);
    OnnxOps ops = new OnnxOps(graph, held, file, precision);
    if (!precision.isInt8()) {
      return ops;
    }
    return smoothing.isPresent()
        ? smoothing.get().ops(new Int8Ops(ops, maps, smoothing.get(), signed))
        : new Int8Ops(ops, maps, InputScales.NONE, signed);
  }

  /** What caches keep, for one sample. */
  CacheBytes cacheBytes(Denoiser denoiser) {
    return CacheBytes.of(
        denoiser,
        output -> kept("", output).sizeBytes(1).orElseThrow(),
        stream -> new Port("", element(), stream).sizeBytes(1).orElseThrow());
  }
}
