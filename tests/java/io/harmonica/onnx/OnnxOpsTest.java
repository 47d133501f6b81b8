package io.harmonica.onnx;

import static io.harmonica.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.harmonica.Element;
import io.harmonica.Reference;
import io.harmonica.model.Gelu;
import io.harmonica.model.Ops;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Longs;
import io.harmonica.onnx.Evaluation.Parameters;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation against {@link Reference}, through ONNX Runtime, in both precisions. */
class OnnxOpsTest {
  /** Absolute, for results of about 1: fp32 keeps 6e-8, and sums have up to 64 terms. */
  private static final double FP32 = 4e-6;

  /** fp16 keeps 5e-4 of a number; inputs, weights and result are rounded. */
  private static final double FP16 = 8e-3;

  private static final Floats A = random(1, 2, 5, 8);
  private static final Floats B = random(2, 2, 5, 8);
  private static final Floats C = random(3, 2, 5, 8);
  private static final Floats ROW = random(4, 2, 1, 8);
  private static final Floats PICTURE = random(5, 1, 3, 6, 6);
  private static final Floats SQUARE = random(6, 12, 8);
  private static final Floats BIAS = random(7, 12);
  private static final Floats FILTER = random(8, 12, 3, 2, 2);
  private static final Floats KEYS = random(14, 2, 3, 8);
  private static final Floats VALUES = random(15, 2, 3, 8);
  private static final Floats MASK = new Floats(new float[] {0, 0, -10000, 0, -10000, 0}, 2, 3);
  private static final Floats GROUPS = random(16, 1, 4, 3, 5);
  private static final Floats FOUR = random(17, 4);
  private static final Floats OTHER = random(18, 4);
  private static final Floats TABLE = random(9, 11, 8);
  private static final Longs IDS = new Longs(new long[] {1, 3, 9, 9, 3, 7, 0, 6, 2, 3}, 2, 5);
  private static final Floats EIGHT = random(19, 8);
  private static final Floats SHIFT = random(20, 8);
  private static final float[] NORMAL = Reference.layerNorm(A.values(), 8, 0.02);
  private static final Parameters WEIGHTS =
      new Parameters(
          Map.ofEntries(
              Map.entry("map.weight", SQUARE),
              Map.entry("map.bias", BIAS),
              Map.entry("patch.weight", FILTER),
              Map.entry("patch.bias", BIAS),
              Map.entry("group.weight", FOUR),
              Map.entry("group.bias", OTHER),
              Map.entry("table", TABLE),
              Map.entry("row", EIGHT),
              Map.entry("norm.weight", EIGHT),
              Map.entry("norm.bias", SHIFT)));

  @TempDir Path folder;

  /** An operation as a model calls it. */
  private interface Call {
    Value of(OnnxOps ops, List<Value> inputs);
  }

  private record Case(String operation, Call call, Floats expected, Object... inputs) {
    @Override
    public String toString() {
      return operation;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "constant",
            (ops, in) -> ops.add(in.get(0), ops.toPrecision(ops.constant(BIAS.values(), 1, 12))),
            floats(i -> BIAS.values()[i] + SQUARE.values()[i], 1, 12),
            new Floats(Arrays.copyOf(SQUARE.values(), 12), 1, 12)),
        new Case("parameter", (ops, in) -> ops.parameter("table", 11, 8), TABLE),
        new Case(
            "linear",
            (ops, in) -> ops.linear(in.get(0), "map", 8, 12),
            new Floats(Reference.linear(A.values(), SQUARE.values(), BIAS.values()), 2, 5, 12),
            A),
        new Case(
            "project",
            (ops, in) -> ops.project(in.get(0), "map.weight", 8, 12),
            new Floats(Reference.linear(A.values(), SQUARE.values(), new float[12]), 2, 5, 12),
            A),
        new Case(
            "rmsNorm",
            (ops, in) -> ops.rmsNorm(ops.toFloat(in.get(0)), "row", 8, 0.02),
            new Floats(Reference.rmsNorm(A.values(), EIGHT.values(), 0.02), 2, 5, 8),
            A),
        new Case(
            "embedding",
            (ops, in) -> ops.embedding(new int[] {10, 2, 2}, "table", 11, 8),
            floats(i -> TABLE.values()[(i < 8 ? 10 : 2) * 8 + i % 8], 3, 8)),
        new Case(
            "conv",
            (ops, in) -> ops.conv(in.get(0), "patch", 3, 12, 2, 2, 0),
            new Floats(
                Reference.conv(PICTURE.values(), FILTER.values(), BIAS.values(), 3, 6, 2, 2, 0),
                1,
                12,
                3,
                3),
            PICTURE),
        new Case(
            "conv",
            (ops, in) -> ops.conv(in.get(0), "patch", 3, 12, 2, 1, 1),
            new Floats(
                Reference.conv(PICTURE.values(), FILTER.values(), BIAS.values(), 3, 6, 2, 1, 1),
                1,
                12,
                7,
                7),
            PICTURE),
        new Case(
            "embedding",
            (ops, in) -> ops.embedding(in.get(0), "table", 11, 8),
            floats(i -> TABLE.values()[(i < 8 ? 10 : 2) * 8 + i % 8], 2, 8),
            new Longs(new long[] {10, 2}, 2, 1)),
        new Case(
            "add",
            (ops, in) -> ops.add(in.get(0), in.get(1)),
            floats(i -> A.values()[i] + ROW.values()[i / 40 * 8 + i % 8], 2, 5, 8),
            A,
            ROW),
        new Case(
            "sub",
            (ops, in) -> ops.sub(in.get(0), in.get(1)),
            floats(i -> A.values()[i] - ROW.values()[i / 40 * 8 + i % 8], 2, 5, 8),
            A,
            ROW),
        new Case(
            "mul",
            (ops, in) -> ops.mul(in.get(1), in.get(0)),
            floats(i -> A.values()[i] * ROW.values()[i / 40 * 8 + i % 8], 2, 5, 8),
            A,
            ROW),
        elementWise("sin", (ops, in) -> ops.sin(in.get(0)), Math::sin),
        elementWise("cos", (ops, in) -> ops.cos(in.get(0)), Math::cos),
        elementWise("silu", (ops, in) -> ops.silu(in.get(0)), Reference::silu),
        elementWise("gelu", (ops, in) -> ops.gelu(in.get(0), Gelu.TANH), Reference::geluTanh),
        elementWise("gelu", (ops, in) -> ops.gelu(in.get(0), Gelu.EXACT), Reference::geluExact),
        new Case(
            "layerNorm",
            (ops, in) -> ops.layerNorm(in.get(0), 8, 0.02), // an epsilon that shows
            new Floats(Reference.layerNorm(A.values(), 8, 0.02), 2, 5, 8),
            A),
        new Case(
            "layerNorm",
            (ops, in) -> ops.layerNorm(in.get(0), "norm", 8, 0.02),
            floats(i -> NORMAL[i] * EIGHT.values()[i % 8] + SHIFT.values()[i % 8], 2, 5, 8),
            A),
        new Case(
            "attention",
            (ops, in) -> ops.attention(in.get(0), in.get(1), in.get(2), 2, 8),
            new Floats(Reference.attention(A.values(), B.values(), C.values(), 5, 2, 8), 2, 5, 8),
            A,
            B,
            C),
        new Case(
            "attention",
            (ops, in) -> {
              Value bias = ops.reshape(in.get(3), 0, 1, 1, 3);
              return ops.attention(in.get(0), in.get(1), in.get(2), bias, 2, 8);
            },
            new Floats(
                Reference.attention(
                    A.values(), KEYS.values(), VALUES.values(), MASK.values(), 5, 3, 2, 8),
                2,
                5,
                8),
            A,
            KEYS,
            VALUES,
            MASK),
        new Case(
            "groupNorm",
            (ops, in) -> ops.groupNorm(in.get(0), "group", 2, 4, 0.02),
            new Floats(
                Reference.groupNorm(GROUPS.values(), FOUR.values(), OTHER.values(), 2, 0.02),
                1,
                4,
                3,
                5),
            GROUPS),
        new Case(
            "upsample",
            (ops, in) -> ops.upsample(in.get(0)),
            floats(i -> PICTURE.values()[i / 144 * 36 + i / 24 % 6 * 6 + i % 12 / 2], 1, 3, 12, 12),
            PICTURE),
        new Case(
            "reshapeLike",
            (ops, in) -> ops.reshapeLike(ops.reshape(in.get(0), 0, -1), in.get(0)),
            A,
            A),
        new Case(
            "reshape",
            (ops, in) -> ops.reshape(in.get(0), 0, -1, 4),
            new Floats(A.values(), 2, 10, 4),
            A),
        new Case(
            "transpose",
            (ops, in) -> ops.transpose(in.get(0), 2, 0, 1),
            floats(i -> A.values()[i % 10 * 8 + i / 10], 8, 2, 5),
            A),
        new Case(
            "slice",
            (ops, in) -> ops.slice(in.get(0), 1, 2, 4),
            floats(i -> A.values()[i / 16 * 40 + 16 + i % 16], 2, 2, 8),
            A),
        new Case(
            "concat",
            (ops, in) -> ops.concat(1, in),
            floats(
                i ->
                    i % 48 < 40
                        ? A.values()[i / 48 * 40 + i % 48]
                        : ROW.values()[i / 48 * 8 + i % 8],
                2,
                6,
                8),
            A,
            ROW),
        new Case(
            "rowAt", // the first of two largest
            (ops, in) -> ops.rowAt(in.get(0), in.get(1), OptionalInt.empty()),
            rows(2, 0),
            A,
            IDS),
        new Case(
            "rowAt",
            (ops, in) -> ops.rowAt(in.get(0), in.get(1), OptionalInt.of(3)),
            rows(1, 4),
            A,
            IDS),
        new Case(
            "toFloat",
            (ops, in) -> ops.toPrecision(ops.toFloat(in.get(0))),
            new Floats(new float[] {999, -3}, 2, 1),
            new Longs(new long[] {999, -3}, 2, 1)),
        new Case("toPrecision", (ops, in) -> ops.toPrecision(in.get(0)), A, A));
  }

  /** A row of each of A's two texts. */
  private static Floats rows(int first, int second) {
    return floats(i -> A.values()[i < 8 ? first * 8 + i : (5 + second) * 8 + i - 8], 2, 8);
  }

  private static Case elementWise(
      String operation, Call call, java.util.function.DoubleUnaryOperator reference) {
    return new Case(operation, call, new Floats(Reference.map(A.values(), reference), 2, 5, 8), A);
  }

  @Test
  void cases_coverEveryOperation() {
    assertThat(cases().map(Case::operation).collect(Collectors.toSet()))
        .isEqualTo(
            Stream.of(Ops.class.getDeclaredMethods())
                .map(Method::getName)
                .collect(Collectors.toSet()));
  }

  @ParameterizedTest
  @MethodSource("cases")
  void operation_inFp32_isTheReference(Case operation) throws IOException {
    check(operation, Precision.FP32, FP32);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void operation_inFp16_isTheReferenceRounded(Case operation) throws IOException {
    check(operation, Precision.FP16, FP16);
  }

  private void check(Case operation, Precision precision, double tolerance) throws IOException {
    Graph graph = new Graph("test");
    try (WeightFile file = WeightFile.create(folder.resolve(WeightFile.NAME))) {
      OnnxOps ops = new OnnxOps(graph, WEIGHTS, file, precision);
      Map<String, Object> inputs = new LinkedHashMap<>();
      List<Value> values =
          Arrays.stream(operation.inputs())
              .map(
                  input -> {
                    String name = "in" + inputs.size();
                    inputs.put(name, input);
                    return input instanceof Floats floats
                        ? ops.toPrecision(graph.input(name, Element.FP32, rest(floats.shape())))
                        : graph.input(name, Element.INT64, rest(((Longs) input).shape()));
                  })
              .toList();
      Value result = operation.call().of(ops, values);
      assertThat(result.type()).isEqualTo(precision.element());
      graph.output("out", ops.toFloat(result), rest(operation.expected().shape()));
      Floats actual = Evaluation.run(graph.model(), folder, inputs).get("out");
      assertThat(actual.shape()).containsExactly(operation.expected().shape());
      assertClose(operation.operation(), actual.values(), operation.expected().values(), tolerance);
    }
  }

  @Test
  void linear_beyondInline_isKeptTransposedOnDisk() throws IOException {
    Floats wide = random(11, 64, 40); // 40 to 64; odd against the tiles of 32
    Parameters weights = new Parameters(Map.of("w.weight", wide, "w.bias", random(12, 64)));
    Floats x = random(13, 3, 40);
    Graph graph = new Graph("test");
    Path data = folder.resolve(WeightFile.NAME);
    try (WeightFile file = WeightFile.create(data)) {
      OnnxOps ops = new OnnxOps(graph, weights, file, Precision.FP32);
      graph.output("y", ops.linear(graph.input("x", Element.FP32, 40), "w", 40, 64), 64);
    }
    assertThat(Files.size(data)).isEqualTo(4 * 40 * 64);
    float[] expected =
        Reference.linear(x.values(), wide.values(), weights.floats().get("w.bias").values());
    assertClose(
        "y",
        Evaluation.run(graph.model(), folder, Map.of("x", x)).get("y").values(),
        expected,
        1e-5);
  }

  @Test
  void mixedTypes_areRefused() {
    Graph graph = new Graph("test");
    OnnxOps ops = new OnnxOps(graph, Weights.NONE, WeightFile.measure(), Precision.FP16);
    Value single = graph.input("x", Element.FP32, 3);
    Value half = ops.toPrecision(single);
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ops.add(half, single))
        .withMessageStartingWith("Add of [")
        .withMessageContaining("FP16");
  }

  /** Values of about 1, the same for the same seed. */
  private static Floats random(long seed, long... shape) {
    Random random = new Random(seed);
    return floats(i -> (float) random.nextGaussian() / 2, shape);
  }

  private interface Filling {
    float at(int index);
  }

  private static Floats floats(Filling filling, long... shape) {
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
    for (int i = 0; i < values.length; i++) {
      values[i] = filling.at(i);
    }
    return new Floats(values, shape);
  }

  private static long[] rest(long[] shape) {
    return Arrays.copyOfRange(shape, 1, shape.length);
  }
}
