package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.InvalidProperty;
import io.harmonica.Library;
import io.harmonica.Port;
import io.harmonica.calibration.Compensation;
import io.harmonica.calibration.LargestInputs;
import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Smoothing;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Fp8;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Ops;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Fp8Ops;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Int4Ops;
import io.harmonica.onnx.Int8Ops;
import io.harmonica.onnx.KeptRows;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What engines compute in.
 *
 * @param drawing their linear maps
 * @param cacheInt8 whether caches keep branches' outputs in 8 bits
 */
record Numbers(Precision precision, Drawing drawing, boolean cacheInt8) {

  /** Draws operations in a precision. */
  private interface Drawing {
    /**
     * Over a graph.
     *
     * @param exact draws with weights as they are
     */
    Ops<Value> over(Function<Weights, OnnxOps> exact, Weights weights);
  }

  static Numbers of(Model model, ExportOptions options) {
    Precision precision = options.precision();
    Optional<Observed> ranges = options.numerics().ranges();
    if (precision.maps().needRanges() != ranges.isPresent()) {
      throw new InvalidProperty(
          "ranges",
          ranges.isEmpty()
              ? "are missing: `precision` %s needs what harmonica calibrate%s observed"
                  .formatted(
                      precision.word(),
                      precision.maps() == Precision.Maps.INT4 ? " with `moments` all" : "")
              : "have no effect with `precision` %s: leave one of them out"
                  .formatted(precision.word()));
    }
    return new Numbers(
        precision,
        drawing(precision, model, ranges, options.platform().isTensorRt()),
        options.numerics().cacheInt8());
  }

  /**
   * For a model.
   *
   * @param signed whether TensorRT runs the engines, which takes zero for zero only
   */
  private static Drawing drawing(
      Precision precision, Model model, Optional<Observed> ranges, boolean signed) {
    if (precision.maps() == Precision.Maps.SAME) {
      return Function::apply;
    }
    Denoiser denoiser = model.denoiser();
    Int8Maps maps = Int8Maps.of(denoiser);
    List<Site> sites = Site.of(denoiser);
    return switch (precision.maps()) {
      case INT8 ->
          (exact, weights) -> new Int8Ops(exact.apply(weights), maps, InputScales.NONE, signed);
      case INT8_STATIC -> {
        Smoothing smoothing = new Smoothing(sites, ranges.orElseThrow()::largest, model.weights());
        yield (exact, weights) ->
            smoothing.ops(new Int8Ops(exact.apply(smoothing.weights()), maps, smoothing, signed));
      }
      case FP8 -> {
        InputScales scales = new LargestInputs(sites, ranges.orElseThrow()::largest, Fp8.MOST);
        yield (exact, weights) -> new Fp8Ops(exact.apply(weights), maps, scales);
      }
      case INT4 -> {
        Library.EJML.require();
        Observed known = ranges.orElseThrow();
        Compensation rounding =
            new Compensation(
                sites, site -> known.moment(site).orElseThrow().get(), precision::held);
        yield (exact, weights) -> new Int4Ops(exact.apply(weights), maps, rounding);
      }
      default -> throw new IllegalStateException("no maps are drawn in " + precision);
    };
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
    return drawing.over(held -> new OnnxOps(graph, held, file, precision), weights);
  }

  /** What caches keep, for one sample. */
  CacheBytes cacheBytes(Denoiser denoiser) {
    return CacheBytes.of(
        denoiser,
        output -> kept("", output).sizeBytes(1).orElseThrow(),
        stream -> new Port("", element(), stream).sizeBytes(1).orElseThrow());
  }
}
