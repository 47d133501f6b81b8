package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInstanceGroup;
import io.harmonica.repository.proto.ModelOptimizationPolicy.ExecutionAccelerators;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * What Triton's onnxruntime backend hands an engine's graph to, instead of ONNX Runtime's own
 * kernels: its <a
 * href="https://github.com/triton-inference-server/onnxruntime_backend#readme">execution
 * accelerators</a>. The parameters are those that releases 24.05 to 26.06 take.
 */
final class Accelerator {
  /** Where servers keep the plans that they built: a folder that ONNX Runtime makes by itself. */
  static final String CACHE = "/tmp/harmonica-tensorrt";

  private static final String PREFIX = "trt_engine_cache_prefix";
  private static final int DIGEST_BYTES = 8;

  private Accelerator() {}

  /**
   * Has an engine run on TensorRT inside of ONNX Runtime.
   *
   * <p>No {@code precision_mode}: without one TensorRT keeps to the types of the graph (ONNX
   * Runtime 1.18 and later); with FP16 it would be free to lower those parts, too, that are in fp32
   * on purpose. The instance is on a GPU, and on nothing else: on a CPU the backend would ignore
   * the accelerator without a word, so a server without a GPU has to refuse the engine.
   */
  static void tensorRt(ModelConfig.Builder config, Profile profile) {
    ExecutionAccelerators.Accelerator accelerator =
        ExecutionAccelerators.Accelerator.newBuilder()
            .setName("tensorrt")
            .putParameters("trt_profile_min_shapes", profile.min())
            .putParameters("trt_profile_opt_shapes", profile.opt())
            .putParameters("trt_profile_max_shapes", profile.max())
            .putParameters("trt_engine_cache_enable", "1")
            .putParameters("trt_engine_cache_path", CACHE)
            .putParameters(PREFIX, config.getName())
            .putParameters("trt_timing_cache_enable", "1")
            .putParameters("trt_timing_cache_path", CACHE)
            .build();
    config.getInstanceGroupBuilder(0).setKind(ModelInstanceGroup.Kind.KIND_GPU);
    accelerators(config).addGpuExecutionAccelerator(accelerator);
  }

  /** Has an engine run on OpenVINO, which takes no parameters there, on the CPU. */
  static void openVino(ModelConfig.Builder config) {
    config.getInstanceGroupBuilder(0).setKind(ModelInstanceGroup.Kind.KIND_CPU);
    accelerators(config).addCpuExecutionAcceleratorBuilder().setName("openvino");
  }

  private static ExecutionAccelerators.Builder accelerators(ModelConfig.Builder config) {
    return config.getOptimizationBuilder().getExecutionAcceleratorsBuilder();
  }

  /**
   * Names an engine's cached plan by what it is built of. ONNX Runtime's own name of it says
   * nothing of weights or of the folder: another model's plan, or that of weights that were
   * replaced since, would be taken for it, and would draw wrong pictures.
   *
   * @param data the engine's weights; null where nothing is written, which gives a name as long
   */
  static ModelConfig cachedByContent(ModelConfig engine, ModelProto graph, Path data)
      throws IOException {
    if (engine.getOptimization().getExecutionAccelerators().getGpuExecutionAcceleratorCount()
        == 0) {
      return engine;
    }
    ModelConfig.Builder config = engine.toBuilder();
    accelerators(config)
        .getGpuExecutionAcceleratorBuilder(0)
        .putParameters(PREFIX, engine.getName() + "-" + digest(graph, data));
    return config.build();
  }

  private static String digest(ModelProto graph, Path data) throws IOException {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      sha.update(graph.toByteArray());
      if (data != null && Files.exists(data)) {
        try (InputStream in = Files.newInputStream(data)) {
          byte[] chunk = new byte[1 << 20];
          for (int read = in.read(chunk); read >= 0; read = in.read(chunk)) {
            sha.update(chunk, 0, read);
          }
        }
      }
      return HexFormat.of().formatHex(sha.digest(), 0, DIGEST_BYTES);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has SHA-256
    }
  }
}
