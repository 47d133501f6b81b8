package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Update;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which steps of a trajectory a server can take in one request, and what such a request needs
 * beside sample, condition and cached outputs.
 *
 * @param size steps of a stretch
 * @param names the ensemble of each stretch, by its first step divided by {@code size}
 * @param updates the sampler's step as numbers, for every step of the stretches
 */
record Stretches(
    Manifest manifest,
    Schedule schedule,
    Sampler sampler,
    int size,
    List<String> names,
    List<Update> updates) {

  /** Those of a model and router; empty where there are none, or the sampler is not an engine. */
  static Optional<Stretches> of(
      Manifest manifest, String router, Schedule schedule, Sampler sampler) {
    if (manifest.stepsPerRequest() == null) {
      return Optional.empty();
    }
    int size = manifest.stepsPerRequest();
    List<Stretch> distinct = schedule.stretches(size);
    List<String> names = new ArrayList<>();
    List<Update> updates = new ArrayList<>();
    for (int first = 0; first + size <= schedule.steps().size(); first += size) {
      int index = distinct.indexOf(schedule.stretch(first, size).stretch());
      names.add(Names.stretch(manifest.model(), router, index));
      for (int s = first; s < first + size; s++) {
        Optional<Update> update = sampler.update(s);
        if (update.isEmpty()) {
          return Optional.empty();
        }
        updates.add(update.get());
      }
    }
    return names.isEmpty()
        ? Optional.empty()
        : Optional.of(new Stretches(manifest, schedule, sampler, size, names, updates));
  }

  /** Whether one begins at this step. */
  boolean beginsAt(int step) {
    return step % size == 0 && step / size < names.size();
  }

  /** The first step of the stretch that takes this step; the step itself where none does. */
  int firstWith(int step) {
    return step / size < names.size() ? step / size * size : step;
  }

  String name(int first) {
    return names.get(first / size);
  }

  Stretch.Placed at(int first) {
    return schedule.stretch(first, size);
  }

  /** The inputs that are numbers of the steps, of the sampler and of guidance. */
  Map<String, Tensor> inputs(Runtime runtime, Stretch.Placed placed, Guidance guidance, int batch) {
    Map<String, Tensor> inputs = new HashMap<>();
    for (int j = 0; j < size; j++) {
      int s = placed.first() + j;
      long[] timestep = new long[batch];
      Arrays.fill(timestep, sampler.timesteps().get(s));
      inputs.put(
          Names.ofStep(Names.TIMESTEP, j), runtime.tensor(LongBuffer.wrap(timestep), batch, 1));
      Update update = updates.get(s);
      float[] numbers = {update.noise(), update.signal(), update.next(), update.direction()};
      inputs.put(Names.ofStep(Names.UPDATE, j), runtime.tensor(repeated(numbers, batch), batch, 4));
      if (placed.stretch().route(j).histories().stream().anyMatch(history -> history > 1)) {
        float[][] weights = schedule.steps().get(s).weights();
        FloatBuffer row = FloatBuffer.allocate(weights.length * Route.MAX_HISTORY);
        Arrays.stream(weights).forEach(row::put);
        inputs.put(
            Names.ofStep(Names.REUSE_WEIGHTS, j),
            runtime.tensor(repeated(row.array(), batch), batch, weights.length, Route.MAX_HISTORY));
      }
    }
    float[] scales = new float[manifest.channels()];
    Arrays.fill(scales, 1);
    long[] conditional = new long[batch];
    long[] unconditional = new long[batch];
    Arrays.setAll(conditional, row -> row);
    Arrays.setAll(unconditional, row -> row);
    if (guidance.doublesBatch()) {
      Arrays.fill(scales, 0, guidance.channels(), (float) guidance.scale());
      int pictures = batch / 2;
      int offset = guidance.conditionalFirst() ? 0 : pictures;
      Arrays.setAll(conditional, row -> row % pictures + offset);
      Arrays.setAll(unconditional, row -> row % pictures + pictures - offset);
    }
    inputs.put(Names.GUIDANCE, runtime.tensor(repeated(scales, batch), batch, manifest.channels()));
    inputs.put(Names.CONDITIONAL, runtime.tensor(LongBuffer.wrap(conditional), batch, 1));
    inputs.put(Names.UNCONDITIONAL, runtime.tensor(LongBuffer.wrap(unconditional), batch, 1));
    return inputs;
  }

  private static FloatBuffer repeated(float[] row, int batch) {
    FloatBuffer values = FloatBuffer.allocate(batch * row.length);
    while (values.hasRemaining()) {
      values.put(row);
    }
    return values.flip();
  }
}
