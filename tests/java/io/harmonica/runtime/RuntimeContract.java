package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling.Step;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestInstance.Lifecycle;
import org.junit.jupiter.api.io.TempDir;

/** What every {@link Runtime} does, on the repository of {@link ContractModels}. */
@TestInstance(Lifecycle.PER_CLASS)
public abstract class RuntimeContract {
  private Runtime runtime;

  /** Opens a runtime on a repository; called once or more with the same one. */
  protected abstract Runtime open(Path repository) throws Exception;

  protected Path repository;

  @BeforeAll
  protected void openRuntime(@TempDir Path folder) throws Exception {
    repository = folder;
    ContractModels.write(repository);
    runtime = open(repository);
  }

  @AfterAll
  protected void closeRuntime() {
    if (runtime != null) {
      runtime.close();
    }
  }

  @Test
  protected void infer_ofEngine_givesValuesInBatchFirstShape() {
    try (Tensor x = floats(new float[] {0, 1, 2, -3, 0.5f, 1e6f}, 2, 3)) {
      try (Tensor y = infer("affine", Map.of("x", x), "y")) {
        assertThat(y.type()).isEqualTo(Element.FP32);
        assertThat(y.shape()).containsExactly(2, 3);
        assertThat(y.sizeBytes()).isEqualTo(24);
        assertThat(values(y)).containsExactly(1, 3, 5, -5, 2, 2e6f + 1);
      }
    }
  }

  @Test
  protected void infer_ofTwoOutputs_givesExactlyTheRequested() {
    try (Tensor x = floats(new float[] {1, 2, 3}, 1, 3)) {
      Map<String, Tensor> one = runtime.infer("signs", Map.of("x", x), Set.of("minus"));
      assertThat(one).containsOnlyKeys("minus");
      assertThat(values(one.get("minus"))).containsExactly(-1, -2, -3);
      Map<String, Tensor> both = runtime.infer("signs", Map.of("x", x), Set.of("minus", "plus"));
      assertThat(both).containsOnlyKeys("plus", "minus");
      assertThat(values(both.get("plus"))).containsExactly(1, 2, 3);
      one.values().forEach(Tensor::close);
      both.values().forEach(Tensor::close);
    }
  }

  @Test
  protected void infer_ofEnsemble_givesResultWithAndWithoutTap() {
    try (Tensor x = floats(new float[] {1, 2, 3, 4, 5, 6}, 2, 3)) {
      Map<String, Tensor> both =
          runtime.infer("chain", Map.of("sample", x), Set.of("result", "tap"));
      assertThat(values(both.get("result"))).containsExactly(-3, -5, -7, -9, -11, -13);
      assertThat(values(both.get("tap"))).containsExactly(3, 5, 7, 9, 11, 13);
      both.values().forEach(Tensor::close);
      Map<String, Tensor> one = runtime.infer("chain", Map.of("sample", x), Set.of("result"));
      assertThat(one).containsOnlyKeys("result");
      assertThat(values(one.get("result"))).containsExactly(-3, -5, -7, -9, -11, -13);
      one.values().forEach(Tensor::close);
    }
  }

  @Test
  protected void statistics_countTheEnginesOfAnEnsemble_andTheirTime() {
    Statistics before = runtime.statistics();
    try (Tensor x = floats(new float[] {1, 2, 3}, 1, 3)) {
      for (int i = 0; i < 3; i++) {
        infer("chain", Map.of("sample", x), "result").close();
      }
    }
    Statistics spent = runtime.statistics().minus(before);
    assertThat(spent.uncounted()).isZero();
    assertThat(count(spent, "affine")).isEqualTo(3);
    assertThat(count(spent, "signs")).isEqualTo(3);
    assertThat(spent.models()).doesNotContainKeys("labels");
    Statistics.Model affine = spent.models().get("affine");
    assertThat(affine.computeNanos()).isPositive();
    assertThat(affine.queueNanos()).isNotNegative();
    assertThat(affine.totalNanos())
        .isGreaterThanOrEqualTo(affine.computeNanos() + affine.queueNanos());
    assertThat(runtime.description()).matches("\\p{Lu}.* [0-9]+\\.[0-9].*"); // name, version
  }

  private static long count(Statistics statistics, String model) {
    return statistics.models().containsKey(model) ? statistics.models().get(model).count() : 0;
  }

  @Test
  protected void infer_withOutputOfThePreviousCall_chainsHandles() {
    Tensor state = floats(new float[] {0, 1, -1}, 1, 3);
    for (int i = 0; i < 5; i++) { // y = 2 x + 1, so after five: 32 x + 31
      Tensor next = infer("affine", Map.of("x", state), "y");
      state.close();
      state = next;
    }
    assertThat(values(state)).containsExactly(31, 63, -1);
    state.close();
  }

  @Test
  protected void infer_inHalfPrecision_passesHandlesThatAreNotFloats() {
    try (Tensor x = floats(new float[] {0.1f, 1, -65504}, 1, 3);
        Tensor narrow = infer("narrow", Map.of("x", x), "y");
        Tensor wide = infer("widen", Map.of("x", narrow), "y");
        Tensor doubled = infer("halves", Map.of("x", x), "y")) {
      assertThat(narrow.type()).isEqualTo(Element.FP16);
      assertThat(narrow.sizeBytes()).isEqualTo(6);
      assertThatIllegalStateException()
          .isThrownBy(narrow::floats)
          .withMessage("tensor is FP16, not FP32");
      float tenth = 0x1.998p-4f; // 0.1 in fp16
      assertThat(values(wide)).containsExactly(tenth, 1, -65504);
      assertThat(values(doubled)).containsExactly(2 * tenth, 2, Float.NEGATIVE_INFINITY);
    }
  }

  @Test
  protected void infer_withLabels_takesInt64AndGivesInt32() {
    try (Tensor label = runtime.tensor(LongBuffer.wrap(new long[] {2, 0, 1}), 3, 1);
        Tensor scale = floats(new float[] {1, 2, 3}, 3, 1)) {
      Map<String, Tensor> found =
          runtime.infer("labels", Map.of("label", label, "scale", scale), Set.of("row", "label32"));
      assertThat(found.get("row").shape()).containsExactly(3, 2);
      assertThat(values(found.get("row"))).containsExactly(20, 21, 0, 2, 30, 33);
      assertThat(found.get("label32").type()).isEqualTo(Element.INT32);
      assertThat(found.get("label32").shape()).containsExactly(3, 1);
      assertThat(found.get("label32").sizeBytes()).isEqualTo(12);
      found.values().forEach(Tensor::close);
    }
  }

  @Test
  protected void infer_withoutBatchDimension_takesAnySizeThatTheConfigAllows() {
    try (Tensor x = floats(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, 2, 5);
        Tensor y = infer("unbatched", Map.of("x", x), "y")) {
      assertThat(y.shape()).containsExactly(2, 5);
      assertThat(values(y)).startsWith(-1).endsWith(-10);
    }
  }

  @Test
  protected void infer_fromSeveralThreads_keepsThemApart() throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    List<Future<float[]>> results = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      float value = i;
      results.add(
          threads.submit(
              () -> {
                try (Tensor x = floats(new float[] {value, value, value}, 1, 3);
                    Tensor y = infer("chain", Map.of("sample", x), "result")) {
                  return values(y);
                }
              }));
    }
    for (int i = 0; i < 40; i++) {
      float expected = -(2f * i + 1);
      assertThat(results.get(i).get()).containsExactly(expected, expected, expected);
    }
    threads.shutdown();
  }

  @Test
  protected void tensor_takesItsValuesFromTheBuffersPosition_andCopiesThem() {
    float[] array = {9, 1, 2, 3};
    FloatBuffer buffer = FloatBuffer.wrap(array, 1, 3);
    try (Tensor x = runtime.tensor(buffer, 1, 3)) {
      array[1] = 7;
      assertThat(buffer.position()).isEqualTo(1);
      assertThat(values(x)).containsExactly(1, 2, 3);
      assertThat(x.shape()).containsExactly(1, 3);
    }
  }

  @Test
  protected void tensor_whoseShapeHoldsOtherThanItsValues_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> floats(new float[] {1, 2, 3}, 2, 3))
        .withMessageContainingAll("[2, 3]", "6", "3");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> runtime.tensor(LongBuffer.wrap(new long[4]), 3));
  }

  @Test
  protected void outputs_outliveTheirInputsAndTheirRuntime() throws Exception {
    Map<String, Tensor> outputs;
    try (Runtime other = open(repository)) {
      try (Tensor x = other.tensor(FloatBuffer.wrap(new float[] {1, 2, 3}), 1, 3)) {
        outputs = other.infer("signs", Map.of("x", x), Set.of("plus", "minus"));
      }
    }
    outputs.get("plus").close();
    assertThat(values(outputs.get("minus"))).containsExactly(-1, -2, -3);
    outputs.get("minus").close();
  }

  @Test
  protected void closedTensor_isRefused_andClosingAgainIsHarmless() {
    Tensor x = floats(new float[] {1, 2, 3}, 1, 3);
    x.close();
    x.close();
    assertThatIllegalStateException().isThrownBy(x::floats);
    assertThatIllegalStateException().isThrownBy(() -> infer("affine", Map.of("x", x), "y"));
  }

  @Test
  protected void infer_withTensorOfAnotherRuntime_isRefused() {
    try (Tensor own = floats(new float[3], 1, 3)) {
      Tensor foreign = new ForeignTensor(own);
      assertThatIllegalArgumentException()
          .isThrownBy(() -> infer("affine", Map.of("x", foreign), "y"))
          .withMessage("input 'x' is a tensor of another runtime");
    }
  }

  private record ForeignTensor(Tensor like) implements Tensor {
    @Override
    public Element type() {
      return like.type();
    }

    @Override
    public long[] shape() {
      return like.shape();
    }

    @Override
    public FloatBuffer floats() {
      return like.floats();
    }

    @Override
    public long sizeBytes() {
      return like.sizeBytes();
    }

    @Override
    public void close() {}
  }

  @Test
  protected void closedRuntime_isRefused_andClosingAgainIsHarmless() throws Exception {
    Runtime other = open(repository);
    Tensor x = other.tensor(FloatBuffer.wrap(new float[] {1, 2, 3}), 1, 3);
    other.close();
    other.close();
    assertThatIllegalStateException()
        .isThrownBy(() -> other.infer("affine", Map.of("x", x), Set.of("y")));
    x.close();
  }

  @Test
  protected void config_ofEngine_saysWhatItTakes() {
    ModelConfig config = runtime.config("labels");
    assertThat(config.getName()).isEqualTo("labels");
    assertThat(config.getMaxBatchSize()).isEqualTo(ContractModels.MAX_BATCH);
    assertThat(config.getInputList()).extracting("name").containsExactly("label", "scale");
    assertThat(config.getOutput(0).getDimsList()).containsExactly(2L);
  }

  @Test
  protected void config_ofEnsemble_hasStepsAndParameters() {
    ModelConfig config = runtime.config("chain");
    assertThat(config.getEnsembleScheduling().getStepList())
        .extracting(Step::getModelName)
        .containsExactly("affine", "signs");
    assertThat(config.getParametersOrThrow("harmonica").getStringValue()).isEqualTo("{}");
  }

  @Test
  protected void config_ofUnknownModel_namesTheNearest() {
    assertThatThrownBy(() -> runtime.config("chian"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageEndingWith(
            " has no model 'chian', it has chain, affine, doubled, halves, labels and 4 more:"
                + " name one of these, or export the model into it");
  }

  @Test
  protected void infer_ofUnknownModel_saysTheSameAsConfig() {
    try (Tensor x = floats(new float[3], 1, 3)) {
      assertThatThrownBy(() -> infer("chian", Map.of("sample", x), "result"))
          .hasMessage(messageOf(() -> runtime.config("chian")));
    }
  }

  @Test
  protected void infer_withMissingInput_saysWhatTheModelTakes() {
    assertThatThrownBy(() -> infer("labels", Map.of(), "row"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "model 'labels' lacks its input 'label':"
                + " it takes label INT64 [1..4, 1], scale FP32 [1..4, 1]");
  }

  @Test
  protected void infer_withUnknownInput_saysWhatTheModelTakes() {
    assertRefused(
        "unbatched",
        "z",
        floats(new float[4], 2, 2),
        "model 'unbatched' has no input 'z': it takes x FP32 [2, any]");
  }

  @Test
  protected void infer_withOtherType_saysBoth() {
    assertRefused(
        "affine",
        "x",
        runtime.tensor(LongBuffer.wrap(new long[3]), 1, 3),
        "model 'affine' takes input 'x' as FP32, not INT64");
  }

  @Test
  protected void infer_withOtherShape_saysBoth() {
    String expected = "model 'affine' takes input 'x' in shape [1..4, 3], not ";
    assertRefused("affine", "x", floats(new float[4], 1, 4), expected + "[1, 4]");
    assertRefused("affine", "x", floats(new float[3], 3), expected + "[3]");
    assertRefused("affine", "x", floats(new float[3], 1, 1, 3), expected + "[1, 1, 3]");
    assertRefused(
        "unbatched",
        "x",
        floats(new float[9], 3, 3),
        "model 'unbatched' takes input 'x' in shape [2, any], not [3, 3]");
  }

  @Test
  protected void infer_ofTooLargeBatch_saysTheLargest() {
    assertRefused(
        "chain",
        "sample",
        floats(new float[15], 5, 3),
        "model 'chain' takes input 'sample' in batches of 1 to 4, not 5:"
            + " send fewer at once, or export with a larger `maxBatch`");
  }

  @Test
  protected void infer_ofUnequalBatches_namesTheInputs() {
    try (Tensor label = runtime.tensor(LongBuffer.wrap(new long[2]), 2, 1);
        Tensor scale = floats(new float[3], 3, 1)) {
      assertThatThrownBy(() -> infer("labels", Map.of("label", label, "scale", scale), "row"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "model 'labels' takes inputs of one batch size, not 'label' with 2 and 'scale' with 3");
    }
  }

  @Test
  protected void infer_forUnknownOutput_saysWhatTheModelGives() {
    try (Tensor x = floats(new float[3], 1, 3)) {
      assertThatThrownBy(() -> infer("signs", Map.of("x", x), "zero"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage("model 'signs' has no output 'zero': it gives plus, minus");
      assertThatIllegalArgumentException()
          .isThrownBy(() -> runtime.infer("signs", Map.of("x", x), Set.of()));
    }
  }

  @Test
  protected void infer_thatFailsInside_namesTheModel_andLeavesTheRuntimeUsable() {
    try (Tensor label = runtime.tensor(LongBuffer.wrap(new long[] {99}), 1, 1); // of 3
        Tensor scale = floats(new float[] {1}, 1, 1)) {
      assertThat(messageOf(() -> infer("labels", Map.of("label", label, "scale", scale), "row")))
          .contains("model 'labels'", "99")
          .doesNotContain("\n");
    }
    infer_ofEngine_givesValuesInBatchFirstShape();
  }

  private void assertRefused(String model, String input, Tensor tensor, String message) {
    try (tensor) {
      assertThatThrownBy(() -> runtime.infer(model, Map.of(input, tensor), Set.of("any")))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(message);
    }
  }

  private static String messageOf(Runnable call) {
    try {
      call.run();
    } catch (HarmonicaException e) {
      return e.getMessage();
    }
    throw new AssertionError("expected a HarmonicaException");
  }

  private Tensor infer(String model, Map<String, Tensor> inputs, String output) {
    return runtime.infer(model, inputs, Set.of(output)).get(output);
  }

  private Tensor floats(float[] values, long... shape) {
    return runtime.tensor(FloatBuffer.wrap(values), shape);
  }

  public static float[] values(Tensor tensor) {
    float[] values = new float[tensor.floats().remaining()];
    tensor.floats().get(values);
    return values;
  }
}
