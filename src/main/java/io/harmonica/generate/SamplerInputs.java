package io.harmonica.generate;

import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Update;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * What a call of several steps needs for the sampler's engine between them: each step's numbers,
 * guidance's scales, and which rows of a prediction belong together.
 *
 * @param channels of a sample
 * @param batch rows of a request, twice the pictures where guidance is
 */
record SamplerInputs(Runtime runtime, Sampler sampler, Guidance guidance, int channels, int batch) {

  /** The inputs of a call; the caller closes them. */
  Map<String, Tensor> of(Program.Call call) {
    Map<String, Tensor> inputs = new HashMap<>();
    for (int i = 0; i < call.steps(); i++) {
      Update update = sampler.update(call.first() + i).orElseThrow();
      float[] numbers = {update.noise(), update.signal(), update.next(), update.direction()};
      inputs.put(call.tensor(Names.UPDATE, i), runtime.tensor(repeated(numbers), batch, 4));
    }
    float[] scales = guidance.scales(channels);
    inputs.put(Names.GUIDANCE, runtime.tensor(repeated(scales), batch, scales.length));
    inputs.put(Names.CONDITIONAL, rows(true));
    inputs.put(Names.UNCONDITIONAL, rows(false));
    return inputs;
  }

  /** For each row of a request the row of its prediction with the condition, or without. */
  private Tensor rows(boolean conditional) {
    long[] rows = new long[batch];
    int pictures = guidance.doublesBatch() ? batch / 2 : batch;
    Arrays.setAll(rows, row -> guidance.row(row % pictures, pictures, conditional));
    return runtime.tensor(LongBuffer.wrap(rows), batch, 1);
  }

  private FloatBuffer repeated(float[] row) {
    FloatBuffer values = FloatBuffer.allocate(batch * row.length);
    while (values.hasRemaining()) {
      values.put(row);
    }
    return values.flip();
  }
}
