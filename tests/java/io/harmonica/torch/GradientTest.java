package io.harmonica.torch;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.model.Gelu;
import io.harmonica.model.Ops;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Parameters;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The gradient through every operation against finite differences, in float64. */
class GradientTest {
  /** A power of two, so that the floats x + h and x - h lie where they should. */
  private static final float H = 0x1p-10f;

  /**
   * Relative to the largest: central differences leave h^2/6 of a third derivative, at most 5e-7
   * here, and gradients come back as floats.
   */
  private static final double TOLERANCE = 5e-6;

  private static final Floats A = random(1, 2, 3, 4);
  private static final Floats B = random(2, 2, 3, 4);
  private static final Floats C = random(3, 2, 3, 4);
  private static final Floats ROW = random(4, 2, 1, 4);
  private static final Floats PICTURE = random(5, 1, 2, 4, 4);
  private static final Floats TABLE = random(9, 7, 4);
  private static final Parameters WEIGHTS =
      new Parameters(
          Map.ofEntries(
              Map.entry("map.weight", random(6, 5, 4)),
              Map.entry("map.bias", random(7, 5)),
              Map.entry("patch.weight", random(8, 3, 2, 2, 2)),
              Map.entry("patch.bias", random(10, 3)),
              Map.entry("group.weight", random(11, 2)),
              Map.entry("group.bias", random(12, 2)),
              Map.entry("row", random(13, 4)),
              Map.entry("table", TABLE),
              Map.entry("norm.weight", random(14, 4)),
              Map.entry("norm.bias", random(15, 4))));

  /** An operation as a model calls it. */
  private interface Call {
    Value of(TorchOps ops, List<Value> inputs);
  }

  private record Case(String operation, Call call, Floats... inputs) {
    @Override
    public String toString() {
      return operation;
    }
  }

  static Stream<Case> cases() {
    return Stream.of(
        new Case(
            "constant",
            (ops, in) -> ops.mul(in.get(0), ops.constant(TABLE.values(), 7, 1, 1, 4)),
            ROW),
        new Case("parameter", (ops, in) -> ops.mul(in.get(0), ops.parameter("table", 7, 4)), ROW),
        new Case(
            "input",
            (ops, in) -> ops.mul(in.get(0), ops.input(TABLE.values(), 7, 4)), // not floats alone
            ROW),
        new Case("leaf", (ops, in) -> ops.mul(in.get(0), ops.leaf(TABLE.values(), 7, 4)), ROW),
        new Case(
            "embedding",
            (ops, in) ->
                ops.mul(
                    in.get(0), ops.embedding(ops.input(new long[] {6, 2}, 2, 1), "table", 7, 4)),
            ROW),
        new Case("linear", (ops, in) -> ops.linear(in.get(0), "map", 4, 5), A),
        new Case("project", (ops, in) -> ops.project(in.get(0), "map.weight", 4, 5), A),
        new Case("rmsNorm", (ops, in) -> ops.rmsNorm(in.get(0), "row", 4, 0.02), A),
        new Case("conv", (ops, in) -> ops.conv(in.get(0), "patch", 2, 3, 2, 2, 0), PICTURE),
        new Case("conv", (ops, in) -> ops.conv(in.get(0), "patch", 2, 3, 2, 1, 1), PICTURE),
        new Case("groupNorm", (ops, in) -> ops.groupNorm(in.get(0), "group", 2, 2, 0.02), PICTURE),
        new Case("upsample", (ops, in) -> ops.upsample(in.get(0)), PICTURE),
        new Case(
            "reshapeLike", (ops, in) -> ops.reshapeLike(ops.reshape(in.get(0), -1), in.get(0)), A),
        new Case(
            "attention",
            (ops, in) -> {
              Value bias = ops.constant(TABLE.values(), 7, 4);
              Value some = ops.reshape(ops.slice(ops.slice(bias, 0, 0, 1), 1, 0, 3), 1, 1, 1, 3);
              return ops.attention(in.get(0), in.get(1), in.get(2), some, 2, 4);
            },
            A,
            B,
            C),
        new Case("add", (ops, in) -> ops.add(in.get(0), in.get(1)), A, ROW),
        new Case("sub", (ops, in) -> ops.sub(in.get(0), in.get(1)), A, ROW),
        new Case("mul", (ops, in) -> ops.mul(in.get(0), in.get(1)), A, ROW),
        new Case("square", (ops, in) -> ops.square(in.get(0)), A),
        new Case("sum", (ops, in) -> ops.sum(ops.square(in.get(0))), A),
        new Case("mean", (ops, in) -> ops.mean(ops.square(in.get(0))), A),
        new Case("sin", (ops, in) -> ops.sin(in.get(0)), A),
        new Case("cos", (ops, in) -> ops.cos(in.get(0)), A),
        new Case("sigmoid", (ops, in) -> ops.sigmoid(in.get(0)), A),
        new Case("silu", (ops, in) -> ops.silu(in.get(0)), A),
        new Case("gelu", (ops, in) -> ops.gelu(in.get(0), Gelu.TANH), A),
        new Case("gelu", (ops, in) -> ops.gelu(in.get(0), Gelu.EXACT), A),
        new Case("layerNorm", (ops, in) -> ops.layerNorm(in.get(0), 4, 0.02), A),
        new Case("layerNorm", (ops, in) -> ops.layerNorm(in.get(0), "norm", 4, 0.02), A),
        new Case(
            "attention",
            (ops, in) -> ops.attention(in.get(0), in.get(1), in.get(2), 2, 4),
            A,
            B,
            C),
        new Case("reshape", (ops, in) -> ops.reshape(in.get(0), 0, -1, 2), A),
        new Case("transpose", (ops, in) -> ops.transpose(in.get(0), 2, 0, 1), A),
        new Case("slice", (ops, in) -> ops.slice(in.get(0), 1, 1, 3), A),
        new Case("concat", (ops, in) -> ops.concat(1, in), A, ROW),
        new Case(
            "rowAt",
            (ops, in) ->
                ops.rowAt(
                    in.get(0), ops.input(new long[] {1, 3, 3, 2, 5, 4}, 2, 3), OptionalInt.empty()),
            A),
        new Case("toFloat", (ops, in) -> ops.toFloat(in.get(0)), A),
        new Case("toPrecision", (ops, in) -> ops.toPrecision(in.get(0)), A));
  }

  @Test
  void cases_coverEveryOperation() {
    Set<String> operations =
        Stream.of(TorchOps.class.getMethods())
            .filter(method -> method.getReturnType() == Value.class)
            .filter(method -> !Modifier.isStatic(method.getModifiers()))
            .map(Method::getName)
            .collect(Collectors.toSet());
    assertThat(operations)
        .containsAll(Stream.of(Ops.class.getDeclaredMethods()).map(Method::getName).toList());
    assertThat(cases().map(Case::operation).collect(Collectors.toSet())).isEqualTo(operations);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void gradient_isTheFiniteDifference(Case operation) {
    try (TorchOps ops = TorchOps.inDouble(WEIGHTS)) {
      List<float[]> gradients = gradients(ops, operation);
      for (int input = 0; input < operation.inputs().length; input++) {
        double[] expected = differences(ops, operation, input);
        double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
        assertThat(largest).as("a gradient to be seen").isGreaterThan(0.01);
        for (int i = 0; i < expected.length; i++) {
          assertThat((double) gradients.get(input)[i])
              .as("%s, input %d, element %d", operation, input, i)
              .isCloseTo(expected[i], org.assertj.core.data.Offset.offset(TOLERANCE * largest));
        }
      }
    }
  }

  private static List<float[]> gradients(TorchOps ops, Case operation) {
    try (Scope scope = Scope.open()) {
      List<Value> leaves = leaves(ops, operation.inputs());
      loss(ops, operation, leaves).backward();
      return leaves.stream().map(Value::gradient).toList();
    }
  }

  private static double[] differences(TorchOps ops, Case operation, int input) {
    Floats point = operation.inputs()[input];
    double[] differences = new double[point.values().length];
    for (int i = 0; i < differences.length; i++) {
      double[] loss = new double[2];
      float[] x = new float[2];
      for (int side = 0; side < 2; side++) {
        Floats[] moved = operation.inputs().clone();
        moved[input] = new Floats(point.values().clone(), point.shape());
        moved[input].values()[i] += side == 0 ? -H : H;
        x[side] = moved[input].values()[i];
        try (Scope scope = Scope.withoutGradients()) {
          loss[side] = loss(ops, operation, leaves(ops, moved)).item();
        }
      }
      differences[i] = (loss[1] - loss[0]) / ((double) x[1] - x[0]);
    }
    return differences;
  }

  private static List<Value> leaves(TorchOps ops, Floats[] inputs) {
    List<Value> leaves = new ArrayList<>();
    for (Floats input : inputs) {
      leaves.add(ops.leaf(input.values(), input.shape()));
    }
    return leaves;
  }

  /** A sum in which every element of the result has a weight of its own. */
  private static Value loss(TorchOps ops, Case operation, List<Value> inputs) {
    Value result = operation.call().of(ops, inputs);
    long[] shape = result.shape();
    return ops.sum(ops.mul(result, ops.constant(random(20, shape).values(), shape)));
  }

  /** Values of about 1, multiples of 2^-12, the same for the same seed. */
  private static Floats random(long seed, long... shape) {
    Random random = new Random(seed);
    float[] values = new float[(int) Arrays.stream(shape).reduce(1, Math::multiplyExact)];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.rint(random.nextGaussian() * 0x1p12) * 0x1p-12f;
    }
    return new Floats(values, shape);
  }
}
