package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.onnx.Precision.INT8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.harmonica.Golden;
import io.harmonica.Reference;
import io.harmonica.calibration.Smoothing;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Int8Weights;
import io.harmonica.model.Ops;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Parameters;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Linear maps in 8 bits: in libtorch as NumPy has them, in engines as libtorch has them. */
class Int8OpsTest {
  private static final Path NUMPY = Path.of("tests/resources/int8/golden.safetensors");
  private static final int IN = 48;
  private static final int OUT = 24;

  /** Of fp32 sums over 48 products, the largest token 40. */
  private static final double TOLERANCE = 2e-5;

  /**
   * Root mean square, relative to the output's: where two layer norms differ in a last digit, a
   * code is another one. Measured up to 5e-4; to fp32 it is 2e-2.
   */
  private static final double PER_BRANCH = 0.005;

  /** The same, of factors that were moved and nothing rounded. */
  private static final double MOVED = 1e-4;

  private static final Int8Maps MAP = new Int8Maps(Set.of("map.weight"), Set.of());
  private static final Int8Maps NONE = new Int8Maps(Set.of(), Set.of());

  @TempDir Path folder;

  private static Parameters parameters(Checkpoint numpy) {
    return new Parameters(
        Map.of(
            "map.weight", new Floats(floats(numpy, "weight"), OUT, IN),
            "map.bias", new Floats(floats(numpy, "bias"), OUT)));
  }

  @Test
  void weights_areNumPys() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      Int8Matrix matrix = Int8Matrix.of(floats(numpy, "weight"), OUT, IN, scale -> scale);
      assertThat(matrix.scales()).containsExactly(floats(numpy, "scales"));
      float[] codes = new float[OUT * IN];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = matrix.codes()[i];
      }
      assertClose("codes", codes, floats(numpy, "codes"), 0); // theirs have -0 too
    }
  }

  @Test
  void tokensAndProduct_areNumPys_andGradientsPass() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY);
        Int8Ops ops = open(parameters(numpy));
        TorchOps data = TorchOps.open(parameters(numpy), Device.of("cpu"), Precision.FP32);
        Scope scope = Scope.open()) {
      Value x = data.leaf(floats(numpy, "x"), 2, 5, IN);
      assertClose(
          "tokens",
          new Value(Int8Ops.rounded(x.tensor)).floats(),
          floats(numpy, "rounded"),
          TOLERANCE);
      Value y = ops.linear(x, "map", IN, OUT);
      assertClose("product", y.floats(), floats(numpy, "y"), TOLERANCE);
      data.sum(y).backward();
      float[] gradient = x.gradient();
      float[] weight = new Int8Weights(parameters(numpy), MAP).read("map.weight", OUT, IN);
      for (int i = 0; i < gradient.length; i++) {
        double expected = 0;
        for (int o = 0; o < OUT; o++) {
          expected += weight[o * IN + i % IN];
        }
        assertThat((double) gradient[i]).isCloseTo(expected, offset(1e-5));
      }
    }
  }

  private static Int8Ops open(Parameters parameters) {
    return Int8Ops.open(MAP, parameters, InputScales.NONE, Device.of("cpu"), Precision.FP32);
  }

  @Test
  void mapsOfNoBranch_stayExact() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY);
        Int8Ops ops =
            Int8Ops.open(
                NONE, parameters(numpy), InputScales.NONE, Device.of("cpu"), Precision.FP32);
        TorchOps exact = TorchOps.open(parameters(numpy), Device.of("cpu"), Precision.FP32);
        Scope scope = Scope.withoutGradients()) {
      Value x = exact.input(floats(numpy, "x"), 2, 5, IN);
      assertThat(ops.linear(x, "map", IN, OUT).floats())
          .containsExactly(exact.linear(x, "map", IN, OUT).floats());
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void engine_isNumPys_signedOrNot(boolean signed) throws IOException {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      float[] y = engine(numpy, MAP, signed, 2, 5, IN);
      assertClose("product", y, floats(numpy, "y"), TOLERANCE);
    }
  }

  /** A vector has 16 bits: what is lost of 40 is 6e-4, times weights of 0.05; in 8 bits 0.2. */
  @Test
  void engineOfVectors_roundsTheirWeightsOnly() throws IOException {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      float[] y = engine(numpy, new Int8Maps(Set.of(), MAP.tokens()), false, 10, IN);
      float[] weight = new Int8Weights(parameters(numpy), MAP).read("map.weight", OUT, IN);
      float[] expected = Reference.linear(floats(numpy, "x"), weight, floats(numpy, "bias"));
      assertClose("product", y, expected, 1e-3);
    }
  }

  private float[] engine(Checkpoint numpy, Int8Maps maps, boolean signed, long... shape)
      throws IOException {
    return engine(
        numpy,
        parameters(numpy),
        exact -> new io.harmonica.onnx.Int8Ops(exact, maps, InputScales.NONE, signed),
        shape);
  }

  private float[] engine(
      Checkpoint numpy,
      Weights weights,
      Function<OnnxOps, Ops<io.harmonica.onnx.Value>> in,
      long... shape)
      throws IOException {
    Floats x = new Floats(floats(numpy, "x"), shape);
    return MapEngine.run(folder, weights, INT8, in, Map.of(), x, OUT);
  }

  /** One scale for all tokens after smoothing, of what was observed of half of them. */
  @Test
  void known_scale_smoothed_isNumPys() throws IOException {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      Site site = new Site(List.of(new Site.Reader("map.weight", OUT)), IN, Site.Kind.MADE, "");
      Smoothing smoothing =
          new Smoothing(List.of(site), one -> floats(numpy, "observed"), parameters(numpy));
      assertClose(
          "factors",
          smoothing.weights().read("map.weight.smoothing.weight", IN),
          floats(numpy, "factors"),
          TOLERANCE);
      try (Int8Ops rounded =
              Int8Ops.open(MAP, smoothing.weights(), smoothing, Device.of("cpu"), Precision.FP32);
          TorchOps data = TorchOps.open(parameters(numpy), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Value x = data.input(floats(numpy, "x"), 2, 5, IN);
        Value y = smoothing.ops(rounded).linear(x, "map", IN, OUT);
        assertClose("libtorch", y.floats(), floats(numpy, "y_static"), TOLERANCE);
      }
      assertClose(
          "engine",
          engine(
              numpy,
              smoothing.weights(),
              exact -> smoothing.ops(new io.harmonica.onnx.Int8Ops(exact, MAP, smoothing, false)),
              2,
              5,
              IN),
          floats(numpy, "y_static"),
          TOLERANCE);
    }
  }

  static Stream<GoldenCase> models() throws IOException {
    return GoldenCase.all();
  }

  /** Each branch of an engine, given what libtorch gives it. */
  @Tag("golden")
  @ParameterizedTest
  @MethodSource("models")
  void branches_ofEngines_areLibtorchs(GoldenCase golden) throws IOException {
    try (Checkpoint source = golden.open(folder);
        Checkpoint vectors = Golden.open(golden.inputs())) {
      branches(golden, golden.model(source, vectors), vectors, Optional.empty());
    }
  }

  /** The same with scales known beforehand, from what is observed in this pass. */
  @Tag("golden")
  @ParameterizedTest
  @MethodSource("models")
  void branches_ofEngines_areLibtorchs_static(GoldenCase golden) throws IOException {
    try (Checkpoint source = golden.open(folder);
        Checkpoint vectors = Golden.open(golden.inputs())) {
      Model model = golden.model(source, vectors);
      List<Site> sites = Site.of(model.denoiser());
      try (TorchOps data = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
          ObservingOps observing = new ObservingOps(data, sites, List.of());
          Scope scope = Scope.withoutGradients()) {
        Map<String, Value> inputs = golden.inputs(vectors, data);
        observing.observe(true);
        Map<String, Value> exact = Pass.run(model.denoiser(), observing, inputs);
        Map<Site, float[]> largest = observing.largest();
        Smoothing smoothing = new Smoothing(sites, largest::get, model.weights());
        try (TorchOps moved =
            TorchOps.open(smoothing.weights(), Device.of("cpu"), Precision.FP32)) {
          Pass.run(model.denoiser(), smoothing.ops(moved), inputs)
              .forEach(
                  (name, output) ->
                      assertThat(Branchwise.apart(output.floats(), exact.get(name).floats()))
                          .as(name)
                          .isLessThan(MOVED));
        }
        branches(golden, model, vectors, Optional.of(smoothing));
      }
    }
  }

  private void branches(
      GoldenCase golden, Model model, Checkpoint vectors, Optional<Smoothing> smoothing)
      throws IOException {
    Denoiser denoiser = model.denoiser();
    Weights weights = smoothing.map(Smoothing::weights).orElse(model.weights());
    InputScales scales = smoothing.<InputScales>map(s -> s).orElse(InputScales.NONE);
    Branchwise.Engine engine =
        new Branchwise.Engine(
            weights,
            INT8,
            plain -> {
              Ops<io.harmonica.onnx.Value> rounding =
                  new io.harmonica.onnx.Int8Ops(plain, Int8Maps.of(denoiser), scales, false);
              return smoothing.isPresent() ? smoothing.get().ops(rounding) : rounding;
            },
            Map.of());
    try (Int8Ops rounded =
        Int8Ops.open(denoiser, weights, scales, Device.of("cpu"), Precision.FP32)) {
      Ops<Value> ops = smoothing.isPresent() ? smoothing.get().ops(rounded) : rounded;
      new Branchwise(folder, golden, model, vectors).assertClose(ops, engine, PER_BRANCH);
    }
  }
}
