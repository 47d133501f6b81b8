package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.export.ExportOptions.Platform;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInstanceGroup;
import io.harmonica.repository.proto.ModelOptimizationPolicy.ExecutionAccelerators;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What configurations say of execution accelerators, as Triton's onnxruntime backend reads it. */
class AcceleratorTest {
  @TempDir Path folder;

  private static ExportOptions options(Platform platform, Precision precision) {
    return new ExportOptions("m", precision, platform, 1, 8, /* force= */ false)
        .withStepsPerRequest(2);
  }

  /** A class-conditional model with engines of all kinds; returns the engines' configurations. */
  private Map<String, ModelConfig> export(String to, Path checkpoint, ExportOptions options) {
    try (Checkpoint source = Checkpoint.open(checkpoint);
        Checkpoint vae = Checkpoint.open(Path.of("tests/golden/vae"))) {
      Model model = Exports.model(source);
      List<Exporter.Entry> written =
          new Exporter(model, List.of(Exports.everyOther("r", model)), options)
              .withDecoder(Autoencoder.of(vae))
              .export(folder.resolve(to));
      Map<String, ModelConfig> engines = new LinkedHashMap<>();
      for (Exporter.Entry entry : written) {
        ModelConfig config = ConfigFile.read(folder.resolve(to).resolve(entry.name()));
        if (!config.hasEnsembleScheduling()) {
          engines.put(entry.name(), config);
        }
      }
      return engines;
    }
  }

  private static Map<String, String> tensorRt(ModelConfig engine) {
    ExecutionAccelerators all = engine.getOptimization().getExecutionAccelerators();
    assertThat(all.getCpuExecutionAcceleratorList()).isEmpty();
    assertThat(all.getGpuExecutionAcceleratorList()).hasSize(1);
    assertThat(all.getGpuExecutionAccelerator(0).getName()).isEqualTo("tensorrt");
    return all.getGpuExecutionAccelerator(0).getParametersMap();
  }

  private static String cacheName(ModelConfig engine) {
    return tensorRt(engine).get("trt_engine_cache_prefix");
  }

  @Test
  void tensorRt_buildsForTheProfilesOfPlans_inTheGraphsTypes_onGpusOnly() {
    Map<String, ModelConfig> plans =
        export("plans", Checkpoints.DIT, options(Platform.TENSORRT, Precision.FP16));
    Map<String, ModelConfig> engines =
        export("models", Checkpoints.DIT, options(Platform.ONNXRUNTIME_TENSORRT, Precision.FP16));
    assertThat(engines.keySet())
        .isEqualTo(plans.keySet())
        .contains("m-block00-cc", "m-block02-11", "m-condition", "m-decoder", "m-sampler");
    engines.forEach(
        (name, engine) -> {
          Map<String, String> says = tensorRt(engine);
          String profile =
              "--minShapes=%s --optShapes=%s --maxShapes=%s"
                  .formatted(
                      says.get("trt_profile_min_shapes"),
                      says.get("trt_profile_opt_shapes"),
                      says.get("trt_profile_max_shapes"));
          ModelConfig plan = plans.get(name);
          assertThat(profile).isEqualTo(plan.getParametersOrThrow("trtexec").getStringValue());
          assertThat(engine.getMaxBatchSize()).isEqualTo(plan.getMaxBatchSize());
          assertThat(engine.getBackend()).isEqualTo("onnxruntime");
          assertThat(engine.getInstanceGroupList())
              .containsExactly(
                  ModelInstanceGroup.newBuilder()
                      .setCount(1)
                      .setKind(ModelInstanceGroup.Kind.KIND_GPU)
                      .build());
          // FP16 there would lower what is in fp32 on purpose; else the graph's types count.
          assertThat(says).doesNotContainKey("precision_mode");
          assertThat(says).containsEntry("trt_engine_cache_enable", "1");
        });
  }

  /** A cached plan is never taken for another one: its name follows weights, types and engine. */
  @Test
  void cachedPlans_areNamedByTheirContent() {
    Map<String, Floats> weights = Checkpoints.tensors(Checkpoints.DIT);
    String changed = "transformer_blocks.1.ff.net.2.bias";
    weights.get(changed).data()[0] += 1;
    Path other =
        Checkpoints.diffusers(
            folder.resolve("other"), Checkpoints.config(Checkpoints.DIT), weights);
    ExportOptions fp32 = options(Platform.ONNXRUNTIME_TENSORRT, Precision.FP32);
    ExportOptions fp16 = options(Platform.ONNXRUNTIME_TENSORRT, Precision.FP16);
    Map<String, ModelConfig> first = export("first", Checkpoints.DIT, fp32);
    Map<String, ModelConfig> again = export("again", Checkpoints.DIT, fp32);
    Map<String, ModelConfig> tuned = export("tuned", other, fp32);
    Map<String, ModelConfig> half = export("half", Checkpoints.DIT, fp16);
    Set<String> names = new HashSet<>();
    first.forEach(
        (name, engine) -> {
          assertThat(cacheName(engine)).matches(name + "-[0-9a-f]{16}");
          assertThat(names.add(cacheName(engine))).isTrue();
          assertThat(again.get(name)).isEqualTo(engine);
          boolean reads = name.matches("m-block01-.*c");
          assertThat(cacheName(tuned.get(name)).equals(cacheName(engine)))
              .as(name)
              .isEqualTo(!reads);
        });
    assertThat(cacheName(half.get("m-block00-cc")))
        .isNotEqualTo(cacheName(first.get("m-block00-cc")));
    assertThat(first.keySet()).anyMatch(name -> name.matches("m-block01-.*c"));
  }

  @Test
  void dryRun_givesTheSizesExactly() {
    ExportOptions options = options(Platform.ONNXRUNTIME_TENSORRT, Precision.FP32);
    try (Checkpoint source = Checkpoint.open(Checkpoints.DIT)) {
      Exporter exporter = new Exporter(Exports.model(source), List.of(), options);
      List<Exporter.Entry> planned = exporter.dryRun();
      assertThat(planned).isNotEmpty();
      assertThat(exporter.export(folder.resolve("models"))).isEqualTo(planned);
    }
  }

  @Test
  void openVino_isOnCpus_withoutParameters_asItTakesNone() {
    Map<String, ModelConfig> engines =
        export("models", Checkpoints.DIT, options(Platform.ONNXRUNTIME_OPENVINO, Precision.FP32));
    ExecutionAccelerators expected =
        ExecutionAccelerators.newBuilder()
            .addCpuExecutionAccelerator(
                ExecutionAccelerators.Accelerator.newBuilder().setName("openvino"))
            .build();
    assertThat(engines.values())
        .allSatisfy(
            engine -> {
              assertThat(engine.getOptimization().getExecutionAccelerators()).isEqualTo(expected);
              assertThat(engine.getInstanceGroup(0).getKind())
                  .isEqualTo(ModelInstanceGroup.Kind.KIND_CPU);
            });
  }

  @Test
  void withoutOne_nothingIsSaid() {
    for (Platform platform : List.of(Platform.ONNXRUNTIME, Platform.TENSORRT)) {
      Map<String, ModelConfig> engines =
          export(platform.name(), Checkpoints.DIT, options(platform, Precision.FP32));
      assertThat(engines.values()).isNotEmpty().noneMatch(ModelConfig::hasOptimization);
    }
  }
}
