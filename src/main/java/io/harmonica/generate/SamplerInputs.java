package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.SamplerForm;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.Linear;
import io.harmonica.sampler.Sampler;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a call of several steps needs for the step engine between them: each step's numbers, the
 * picture of the step before, guidance's scales, and which rows of a prediction belong together.
 *
 * @param batch rows of a request, twice the pictures where guidance is
 */
record SamplerInputs(
    Runtime runtime, Manifest manifest, Sampler sampler, Guidance guidance, int batch) {

  /**
   * Makes the inputs of a call.
   *
   * @param state what earlier steps left, each [B, C, H, W]; zeros where they left nothing
   * @param inputs filled; the caller closes them, whatever happens here
   */
  void put(Program.Call call, List<float[]> state, Map<String, Tensor> inputs) {
    SamplerForm engine = manifest.steps();
    for (int i = 0; i < call.steps(); i++) {
      float[] numbers = engine.numbers(sampler, call.first() + i).orElseThrow();
      inputs.put(
          call.tensor(Names.UPDATE, i), runtime.tensor(repeated(numbers), batch, numbers.length));
    }
    for (int i = 0; i < engine.states().size(); i++) {
      Optional<float[]> left = i < state.size() ? Optional.of(state.get(i)) : Optional.empty();
      inputs.put(engine.states().get(i), samples(left));
    }
    float[] scales = guidance.scales(manifest.channels());
    inputs.put(Names.GUIDANCE, runtime.tensor(repeated(scales), batch, scales.length));
    inputs.put(Names.CONDITIONAL, rows(true));
    inputs.put(Names.UNCONDITIONAL, rows(false));
  }

  /** What the step after a call reads of its last, and must be asked for, by name. */
  List<String> statesRead(Program.Call call) {
    int next = call.last() + 1;
    boolean read =
        next < sampler.timesteps().size()
            && sampler.linear(next).filter(Linear::readsState).isPresent();
    return read ? manifest.steps().states() : List.of();
  }

  /** For each row of a request the row of its prediction with the condition, or without. */
  private Tensor rows(boolean conditional) {
    long[] rows = new long[batch];
    int pictures = batch / guidance.rows();
    Arrays.setAll(rows, row -> guidance.row(row % pictures, pictures, conditional));
    return runtime.tensor(LongBuffer.wrap(rows), batch, 1);
  }

  private Tensor samples(Optional<float[]> left) {
    int channels = manifest.channels();
    int height = manifest.height();
    int width = manifest.width();
    FloatBuffer values = FloatBuffer.allocate(batch * channels * height * width); // zeros
    while (left.isPresent() && values.hasRemaining()) {
      values.put(left.get());
    }
    return runtime.tensor(values.rewind(), batch, channels, height, width);
  }

  private FloatBuffer repeated(float[] row) {
    FloatBuffer values = FloatBuffer.allocate(batch * row.length);
    while (values.hasRemaining()) {
      values.put(row);
    }
    return values.flip();
  }
}
