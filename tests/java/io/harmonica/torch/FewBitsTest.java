package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.onnx.Precision.FP8;
import static io.harmonica.onnx.Precision.INT4;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.Reference;
import io.harmonica.calibration.Compensation;
import io.harmonica.calibration.LargestInputs;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Fp8;
import io.harmonica.model.Fp8Matrix;
import io.harmonica.model.InputScales;
import io.harmonica.model.Int4Matrix;
import io.harmonica.model.Int4Weights;
import io.harmonica.model.Int8Maps;
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
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Weights in 4 bits and products of floating-point numbers of 8: in libtorch as NumPy has them, in
 * engines as libtorch has them.
 */
class FewBitsTest {
  private static final Path NUMPY = Path.of("tests/resources/fewbits/golden.safetensors");
  private static final int IN = 128;
  private static final int OUT = 24;

  /** Of fp32 sums over 128 products. */
  private static final double TOLERANCE = 2e-5;

  /** Root mean square, relative to the output's: to fp32 it is 1e-1 and 3e-2. */
  private static final double PER_BRANCH = 0.005;

  private static final Int8Maps MAP = new Int8Maps(Set.of("map.weight"), Set.of());
  private static final Site SITE =
      new Site(List.of(new Site.Reader("map.weight", OUT)), IN, Site.Kind.MADE, "");

  /** Else it would round activations to 8 bits where weights have 4. */
  private static final Map<String, String> EXACT_PRODUCTS =
      Map.of("session.qdq_matmulnbits_accuracy_level", "0");

  /** Else it would fuse products to a node that has no such numbers, and not load. */
  private static final Map<String, String> UNFUSED = Map.of("session.disable_quant_qdq", "1");

  @TempDir Path folder;

  private static Parameters parameters(Checkpoint numpy) {
    return new Parameters(
        Map.of(
            "map.weight", new Floats(floats(numpy, "weight"), OUT, IN),
            "map.bias", new Floats(floats(numpy, "bias"), OUT)));
  }

  private static Int4Matrix.Rounding gptq(Checkpoint numpy) {
    return new Compensation(List.of(SITE), site -> floats(numpy, "moment"), scale -> scale);
  }

  private static InputScales observed(Checkpoint numpy) {
    return new LargestInputs(List.of(SITE), site -> floats(numpy, "observed"), Fp8.MOST);
  }

  @Test
  void weightsIn4Bits_areNumPys_compensated() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      Int4Matrix matrix = gptq(numpy).of("map.weight", floats(numpy, "weight"), OUT, IN);
      assertThat(matrix.block()).isEqualTo(64);
      // Scales are of weights that were moved: another order of sums shows in their last digit.
      assertClose("scales", matrix.scales(), floats(numpy, "compensated.scales"), 1e-8);
      assertClose(
          "values",
          matrix.values(OUT, IN),
          values(floats(numpy, "compensated.codes"), matrix.scales()),
          0);
      // Without products of channels there is nothing to make good: the nearest.
      float[] unit = new float[IN * IN];
      for (int i = 0; i < IN; i++) {
        unit[i * IN + i] = 1;
      }
      Int4Matrix nearest =
          new Compensation(List.of(SITE), site -> unit, scale -> scale)
              .of("map.weight", floats(numpy, "weight"), OUT, IN);
      assertClose("scales", nearest.scales(), floats(numpy, "nearest.scales"), 1e-9);
      assertClose(
          "values",
          nearest.values(OUT, IN),
          values(floats(numpy, "nearest.codes"), nearest.scales()),
          0);
    }
  }

  private static float[] values(float[] codes, float[] scales) {
    float[] values = new float[codes.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = codes[i] * scales[i % IN / 64 * OUT + i / IN];
    }
    return values;
  }

  @Test
  void weightsInFp8_areNumPys() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      Fp8Matrix matrix = Fp8Matrix.of(floats(numpy, "weight"), OUT, IN, scale -> scale);
      assertThat(matrix.scales()).containsExactly(floats(numpy, "scales8"));
      float[] codes = new float[OUT * IN];
      for (int i = 0; i < codes.length; i++) {
        codes[i] = Fp8.toFloat(matrix.codes()[i]);
      }
      assertClose("codes", codes, floats(numpy, "codes8"), 0);
    }
  }

  @Test
  void products_areNumPys() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY);
        TorchOps data = TorchOps.open(parameters(numpy), Device.of("cpu"), Precision.FP32);
        TorchOps int4 =
            TorchOps.open(
                new Int4Weights(parameters(numpy), MAP, gptq(numpy)),
                Device.of("cpu"),
                Precision.FP32);
        Fp8Ops fp8 =
            Fp8Ops.open(MAP, parameters(numpy), observed(numpy), Device.of("cpu"), Precision.FP32);
        Scope scope = Scope.withoutGradients()) {
      Value x = data.input(floats(numpy, "x"), 2, 5, IN);
      assertClose(
          "int4", int4.linear(x, "map", IN, OUT).floats(), floats(numpy, "y_int4"), TOLERANCE);
      float step = observed(numpy).of("map.weight").orElseThrow().get();
      assertClose(
          "tokens",
          new Value(Fp8Ops.rounded(x.tensor, step)).floats(),
          floats(numpy, "rounded"),
          TOLERANCE);
      assertClose("fp8", fp8.linear(x, "map", IN, OUT).floats(), floats(numpy, "y_fp8"), TOLERANCE);
    }
  }

  @Test
  void engines_areNumPys() throws IOException {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      assertClose(
          "int4",
          engine(
              numpy,
              INT4,
              exact -> new io.harmonica.onnx.Int4Ops(exact, MAP, gptq(numpy)),
              EXACT_PRODUCTS,
              2,
              5,
              IN),
          floats(numpy, "y_int4"),
          TOLERANCE);
    }
  }

  @Test
  void engineInFp8_isNumPys() throws IOException {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      assertClose(
          "fp8",
          engine(
              numpy,
              FP8,
              exact -> new io.harmonica.onnx.Fp8Ops(exact, MAP, observed(numpy)),
              UNFUSED,
              2,
              5,
              IN),
          floats(numpy, "y_fp8"),
          TOLERANCE);
    }
  }

  /** Of the modulation: nothing of the vector is lost. */
  @Test
  void enginesOfVectors_haveWeightsIn8Bits() throws IOException {
    try (Checkpoint numpy = Checkpoint.open(NUMPY)) {
      Int8Maps vectors = new Int8Maps(Set.of(), MAP.tokens());
      Int4Weights held = new Int4Weights(parameters(numpy), vectors, gptq(numpy));
      float[] expected =
          Reference.linear(
              floats(numpy, "x"), held.read("map.weight", OUT, IN), floats(numpy, "bias"));
      assertClose(
          "product",
          engine(
              numpy,
              INT4,
              exact -> new io.harmonica.onnx.Int4Ops(exact, vectors, gptq(numpy)),
              EXACT_PRODUCTS,
              10,
              IN),
          expected,
          TOLERANCE);
    }
  }

  private float[] engine(
      Checkpoint numpy,
      io.harmonica.onnx.Precision precision,
      Function<OnnxOps, Ops<io.harmonica.onnx.Value>> in,
      Map<String, String> settings,
      long... shape)
      throws IOException {
    Floats x = new Floats(floats(numpy, "x"), shape);
    return MapEngine.run(folder, parameters(numpy), precision, in, settings, x, OUT);
  }

  static Stream<GoldenCase> models() throws IOException {
    return GoldenCase.all();
  }

  /** Each branch of an engine in 4 bits and in fp8, given what libtorch gives it. */
  @Tag("golden")
  @ParameterizedTest
  @MethodSource("models")
  void branches_ofEngines_areLibtorchs(GoldenCase golden) throws IOException {
    try (Checkpoint source = golden.open(folder);
        Checkpoint vectors = Golden.open(golden.inputs())) {
      Model model = golden.model(source, vectors);
      Denoiser denoiser = model.denoiser();
      Weights weights = model.weights();
      List<Site> sites = Site.of(denoiser);
      Int8Maps maps = Int8Maps.of(denoiser);
      Device cpu = Device.of("cpu");
      try (TorchOps data = TorchOps.open(weights, cpu, Precision.FP32);
          ObservingOps observing = new ObservingOps(data, sites, sites);
          Scope scope = Scope.withoutGradients()) {
        observing.observe(true);
        Pass.run(denoiser, observing, golden.inputs(vectors, data));
        Map<Site, float[]> moments = observing.moments();
        Compensation gptq = new Compensation(sites, moments::get, scale -> scale);
        try (TorchOps int4 =
            TorchOps.open(new Int4Weights(weights, maps, gptq), cpu, Precision.FP32)) {
          new Branchwise(folder.resolve("int4"), golden, model, vectors)
              .assertClose(
                  int4,
                  new Branchwise.Engine(
                      weights,
                      INT4,
                      plain -> new io.harmonica.onnx.Int4Ops(plain, maps, gptq),
                      EXACT_PRODUCTS),
                  PER_BRANCH);
        }
        Map<Site, float[]> largest = observing.largest();
        InputScales scales = new LargestInputs(sites, largest::get, Fp8.MOST);
        try (Fp8Ops fp8 = Fp8Ops.open(denoiser, weights, scales, cpu, Precision.FP32)) {
          new Branchwise(folder.resolve("fp8"), golden, model, vectors)
              .assertClose(
                  fp8,
                  new Branchwise.Engine(
                      weights,
                      FP8,
                      plain -> new io.harmonica.onnx.Fp8Ops(plain, maps, scales),
                      UNFUSED),
                  PER_BRANCH);
        }
      }
    }
  }
}
