package io.harmonica.onnx;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Port;
import io.harmonica.model.Denoiser;
import io.harmonica.model.DitPresets;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Ops;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import io.harmonica.model.Weights;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

/** What the weights of DiT-XL/2 take, by an export that only measures. */
class WeightSizesTest {
  private static final Denoiser MODEL = DitPresets.named("DiT-XL/2");
  private static final Int8Maps MAPS = Int8Maps.of(MODEL);

  @Test
  void fewerBits_takeLess() throws Exception {
    double fp32 = bytes(Precision.FP32, ops -> ops);
    assertThat(fp32).isBetween(2.68e9, 2.72e9);
    double int8 =
        bytes(Precision.INT8, ops -> new Int8Ops((OnnxOps) ops, MAPS, InputScales.NONE, true));
    assertThat(int8 / fp32).isBetween(0.25, 0.27);
    double int4 =
        bytes(
            Precision.INT4_FP16,
            ops ->
                new Int4Ops(
                    (OnnxOps) ops,
                    MAPS,
                    (name, weight, out, in) -> {
                      throw new AssertionError("nothing is rounded to be measured");
                    }));
    assertThat(int4 / fp32).isBetween(0.17, 0.18); // two thirds at half a byte, one at a byte
    InputScales known = weight -> Optional.of(() -> 1f);
    double fp8 = bytes(Precision.FP8_FP16, ops -> new Fp8Ops((OnnxOps) ops, MAPS, known));
    assertThat(fp8 / fp32).isBetween(0.25, 0.26);
  }

  private static long bytes(Precision precision, UnaryOperator<Ops<Value>> in) throws Exception {
    try (WeightFile file = WeightFile.measure()) {
      Graph graph = new Graph("all");
      Ops<Value> ops = in.apply(new OnnxOps(graph, Weights.NONE, file, precision));
      Map<String, Value> inputs = new HashMap<>();
      for (Port port : MODEL.io().conditions()) {
        inputs.put(port.name(), graph.input(port.name(), port.type(), port.shape()));
      }
      Port sample = MODEL.io().sample();
      Map<String, Value> conditions = MODEL.condition(ops, inputs::get);
      Streams<Value> streams =
          MODEL.begin(
              ops, graph.input(sample.name(), sample.type(), sample.shape()), conditions::get);
      streams =
          MODEL.blocks(
              ops,
              0,
              MODEL.branches().size(),
              streams,
              conditions::get,
              (branch, computed) -> Term.of(computed.get()));
      MODEL.head(ops, streams, conditions::get);
      return file.sizeBytes();
    }
  }
}
