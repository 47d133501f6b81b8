package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.onnx.Precision.INT8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.offset;

import io.harmonica.Element;
import io.harmonica.Golden;
import io.harmonica.Reference;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Int8Maps;
import io.harmonica.model.Int8Matrix;
import io.harmonica.model.Int8Weights;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Parameters;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
    return Int8Ops.open(MAP, parameters, Device.of("cpu"), Precision.FP32);
  }

  @Test
  void mapsOfNoBranch_stayExact() {
    try (Checkpoint numpy = Checkpoint.open(NUMPY);
        Int8Ops ops = Int8Ops.open(NONE, parameters(numpy), Device.of("cpu"), Precision.FP32);
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
    try (WeightFile file = WeightFile.create(folder.resolve(WeightFile.NAME))) {
      Graph graph = new Graph("map");
      OnnxOps exact = new OnnxOps(graph, parameters(numpy), file, INT8);
      long[] after = Arrays.copyOfRange(shape, 1, shape.length);
      long[] made = after.clone();
      made[made.length - 1] = OUT;
      io.harmonica.onnx.Int8Ops ops = new io.harmonica.onnx.Int8Ops(exact, maps, signed);
      graph.output("y", ops.linear(graph.input("x", Element.FP32, after), "map", IN, OUT), made);
      Floats x = new Floats(floats(numpy, "x"), shape);
      return Evaluation.run(graph.model(), folder, Map.of("x", x)).get("y").values();
    }
  }

  static Stream<GoldenCase> models() throws IOException {
    return Stream.of(
            GoldenCase.dits(), GoldenCase.pixArts(), GoldenCase.uVits(), GoldenCase.ofTwoStreams())
        .flatMap(List::stream);
  }

  /** Each branch of an engine, given what libtorch gives it. */
  @Tag("golden")
  @ParameterizedTest
  @MethodSource("models")
  void branches_ofEngines_areLibtorchs(GoldenCase golden) throws IOException {
    try (Checkpoint source = golden.open(folder);
        Checkpoint vectors = Golden.open(golden.inputs());
        WeightFile file = WeightFile.create(folder.resolve(WeightFile.NAME))) {
      Model model = golden.model(source, vectors);
      Denoiser denoiser = model.denoiser();
      Int8Maps maps = Int8Maps.of(denoiser);
      Graph graph = new Graph("branches");
      io.harmonica.onnx.Int8Ops onnx =
          new io.harmonica.onnx.Int8Ops(
              new OnnxOps(graph, model.weights(), file, INT8), maps, false);
      Map<String, Object> read = new HashMap<>();
      Map<String, float[]> expected = new LinkedHashMap<>();
      try (Int8Ops ops = Int8Ops.open(denoiser, model.weights(), Device.of("cpu"), Precision.FP32);
          TorchOps data = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
          Scope scope = Scope.withoutGradients()) {
        Map<String, Value> inputs = golden.inputs(vectors, data);
        Map<String, Value> conditions = denoiser.condition(ops, inputs::get);
        Streams<Value> streams = denoiser.begin(ops, inputs.get("sample"), conditions::get);
        int block = -1;
        for (Branch branch : denoiser.branches()) {
          if (branch.block() != block) {
            block = branch.block();
            streams = denoiser.enter(ops, block, streams, conditions::get);
          }
          Value output = denoiser.branch(ops, branch, streams, conditions::get);
          expected.put(branch.name(), output.floats());
          Streams<Value> before = streams;
          graph.output(
              branch.name(),
              denoiser.branch(
                  onnx,
                  branch,
                  Streams.from(
                      name -> input(graph, read, branch.name() + "." + name, before.get(name))),
                  name -> input(graph, read, name, conditions.get(name))),
              afterBatch(output));
          streams = denoiser.join(ops, branch, streams, Term.of(output), conditions::get);
        }
      }
      Evaluation.run(graph.model(), folder, read)
          .forEach(
              (name, floats) -> {
                assertThat(apart(floats.values(), expected.get(name)))
                    .as(name)
                    .isLessThan(PER_BRANCH);
              });
    }
  }

  private static io.harmonica.onnx.Value input(
      Graph graph, Map<String, Object> read, String name, Value value) {
    if (read.put(name, new Floats(value.floats(), value.shape())) == null) {
      graph.input(name, Element.FP32, afterBatch(value));
    }
    return new io.harmonica.onnx.Value(name, Element.FP32);
  }

  private static long[] afterBatch(Value value) {
    long[] shape = value.shape();
    return Arrays.copyOfRange(shape, 1, shape.length);
  }

  /** Root mean square of the difference, relative to that of what is expected. */
  private static double apart(float[] actual, float[] expected) {
    double difference = 0;
    double size = 0;
    for (int i = 0; i < expected.length; i++) {
      difference += Math.pow((double) actual[i] - expected[i], 2);
      size += Math.pow(expected[i], 2);
    }
    return Math.sqrt(difference / size);
  }
}
