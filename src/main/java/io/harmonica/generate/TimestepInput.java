package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/**
 * The timesteps of a trajectory as its model takes them: whole numbers (int64), or decimals (fp32),
 * as the model's configuration says of its input {@code timestep}.
 */
record TimestepInput(Runtime runtime, boolean whole, Timesteps timesteps) {

  /**
   * For a model.
   *
   * @param config of an engine or ensemble of one step
   * @throws HarmonicaException if it takes whole numbers, and these are others
   */
  static TimestepInput of(Runtime runtime, ModelConfig config, Timesteps timesteps) {
    boolean whole = takesWhole(config);
    requireTaken(config.getName(), whole, timesteps);
    return new TimestepInput(runtime, whole, timesteps);
  }

  /** Whether a model takes whole numbers. */
  static boolean takesWhole(ModelConfig config) {
    return config.getInputList().stream()
        .noneMatch(
            input ->
                input.getName().equals(Names.TIMESTEP)
                    && input.getDataType() == DataType.TYPE_FP32);
  }

  /** Refuses decimals where whole numbers are taken. */
  static void requireTaken(String model, boolean whole, Timesteps timesteps) {
    if (whole && !timesteps.areWhole()) {
      throw new HarmonicaException(
          "model %s takes whole timesteps, not %s: use a sampler or router that was made for it"
              .formatted(model, timesteps));
    }
  }

  /** Those of some steps from one on, each in so many rows: [steps x batch, 1]. */
  Tensor tensor(int first, int steps, int batch) {
    int rows = steps * batch;
    if (whole) {
      LongBuffer values = LongBuffer.allocate(rows);
      for (int row = 0; row < rows; row++) {
        values.put(timesteps.whole(first + row / batch));
      }
      return runtime.tensor(values.flip(), rows, 1);
    }
    FloatBuffer values = FloatBuffer.allocate(rows);
    for (int row = 0; row < rows; row++) {
      values.put((float) timesteps.get(first + row / batch));
    }
    return runtime.tensor(values.flip(), rows, 1);
  }
}
