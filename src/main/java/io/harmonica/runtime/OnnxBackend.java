package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * ONNX Runtime; all its engines share the process's one pool of threads.
 *
 * @param provider where its sessions compute
 */
record OnnxBackend(Provider provider) implements Backend {
  private static final ModelParameter UNSAID = ModelParameter.getDefaultInstance();

  @Override
  public String description() {
    String version = "ONNX Runtime " + OnnxEnvironment.get().getVersion();
    String device = provider.description();
    int threads = OnnxEnvironment.threads();
    boolean usual = threads == java.lang.Runtime.getRuntime().availableProcessors();
    return version
        + (device.isEmpty() ? "" : " with " + device)
        + (usual ? "" : threads == 1 ? ", 1 thread" : ", %d threads".formatted(threads))
        + (Processor.multipliesBytes() ? "" : ", 8 bits multiplied slowly as there is no VNNI");
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return EmbeddedTensor.of(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return EmbeddedTensor.of(values, shape);
  }

  @Override
  public boolean reads(Tensor tensor) {
    return tensor instanceof EmbeddedTensor;
  }

  @Override
  public Loaded load(Path folder, ModelConfig config) {
    Path file = folder.resolve("1").resolve("model.onnx");
    if (!Files.exists(file)) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "model '%s' has no %s: export it again".formatted(config.getName(), file));
    }
    if (config.containsParameters(Names.INT8) && !Processor.multipliesBytes()) {
      provider.requireExactInt8(config.getName());
    }
    String arena = config.getParametersOrDefault(Names.MEMORY_ARENA, UNSAID).getStringValue();
    return new OnnxEngine(
        config.getName(),
        new SessionsBySize(
            size -> provider.load(config.getName(), file, !arena.equals("0"), size),
            config.getMaxBatchSize() > 0 && provider.wantsBatchSize(file)));
  }
}
