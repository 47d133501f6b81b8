package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Stepper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * One batch on its way from noise to pictures: the denoising loop. Owns the cached branch outputs
 * and closes each after its last reader.
 */
final class Trajectory implements AutoCloseable {
  private final Runtime runtime;
  private final Manifest manifest;
  private final String router;
  private final Schedule schedule;
  private final Sampler sampler;
  private final Guidance guidance;
  private final float[] x; // (B, C, H, W)
  private final Prediction prediction;
  private final FloatBuffer sample; // (B or 2 B, C, H, W)
  private final Map<String, Tensor> conditions;
  private final int batch;
  private final Map<Schedule.Output, Tensor> cache = new HashMap<>();
  private final Optional<Stretches> stretches;
  private long runtimeNanos;
  private long peakCacheBytes;

  /**
   * Prepares a batch.
   *
   * @param stretches where several steps go in one request
   * @param conditions what to draw, of the whole batch: its from here on
   */
  Trajectory(
      Runtime runtime,
      Manifest manifest,
      String router,
      Schedule schedule,
      Sampler sampler,
      Guidance guidance,
      Optional<Stretches> stretches,
      Latents noise,
      Map<String, Tensor> conditions) {
    this.runtime = runtime;
    this.manifest = manifest;
    this.router = router;
    this.schedule = schedule;
    this.sampler = sampler;
    this.guidance = guidance;
    this.stretches = stretches;
    this.x = noise.values().clone();
    this.prediction =
        new Prediction(new float[x.length], sampler.needsVariance() ? new float[x.length] : null);
    int copies = guidance.doublesBatch() ? 2 : 1;
    this.batch = copies * noise.count();
    this.sample =
        ByteBuffer.allocateDirect(4 * copies * x.length)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    this.conditions = conditions;
  }

  /** Runs all steps; the result is (B, C, H, W). */
  float[] run(int firstPicture, Noise noise, StepListener listener) {
    int size = manifest.channels() * manifest.height() * manifest.width();
    int pictures = x.length / size;
    int steps = sampler.timesteps().size();
    Stepper stepper = sampler.start();
    for (int s = 0; s < steps; s++) {
      if (stretches.isPresent() && stretches.get().beginsAt(s)) {
        try (Tensor output = advance(stretches.get(), s)) {
          s += stretches.get().size() - 1;
          requireFinite(s);
          tell(listener, firstPicture, s, output.floats());
        }
        continue;
      }
      try (Tensor output = predict(s)) {
        FloatBuffer values = output.floats();
        guide(values);
        boolean noisy = sampler.needsNoise(s);
        float[] fresh = noisy ? noise.ofStep(s, firstPicture, pictures, size) : null;
        stepper.step(s, x, prediction, fresh);
        requireFinite(s);
        tell(listener, firstPicture, s, values);
      }
    }
    return x;
  }

  private void tell(StepListener listener, int firstPicture, int s, FloatBuffer prediction) {
    int steps = sampler.timesteps().size();
    int timestep = sampler.timesteps().get(s);
    var event = new StepListener.Step(firstPicture, s, steps, timestep, x, prediction);
    if (!listener.onStep(event)) {
      throw new CancellationException("cancelled after step " + (s + 1) + " of " + steps);
    }
  }

  /** Takes several steps at the server, the sampler's too; the result is the last prediction. */
  private Tensor advance(Stretches stretches, int first) {
    Stretch.Placed placed = stretches.at(first);
    int last = first + stretches.size() - 1;
    Map<String, Tensor> own = new HashMap<>(); // made for this call only
    try {
      own.putAll(stretches.inputs(runtime, placed, guidance, batch));
      own.put(Names.SAMPLE, sample());
      Map<String, Tensor> inputs = new HashMap<>(own);
      inputs.putAll(conditions);
      List<String> branches = manifest.branches();
      placed
          .before()
          .forEach(
              (output, age) ->
                  inputs.put(Names.history(branches.get(output.branch()), age), cache.get(output)));
      Map<Schedule.Output, String> kept = new HashMap<>();
      placed
          .keeps()
          .forEach(
              output ->
                  kept.put(
                      output, Names.ofStep(branches.get(output.branch()), output.step() - first)));
      String prediction = Names.ofStep(Names.NOISE_PREDICTION, last - first);
      Set<String> outputs = new HashSet<>(kept.values());
      outputs.addAll(List.of(Names.NEXT_SAMPLE, prediction));
      Map<String, Tensor> results = infer(stretches.name(first), inputs, outputs);
      kept.forEach((output, name) -> cache.put(output, results.get(name)));
      countCache();
      for (Schedule.Step step : schedule.steps().subList(first, last + 1)) {
        step.dropped().stream()
            .map(cache::remove)
            .filter(Objects::nonNull) // others never left the server
            .forEach(Tensor::close);
      }
      try (Tensor next = results.get(Names.NEXT_SAMPLE)) {
        next.floats().get(x); // the first half where guidance doubles it
      }
      return results.get(prediction);
    } finally {
      own.values().forEach(Tensor::close);
    }
  }

  private Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    long start = System.nanoTime();
    Map<String, Tensor> results = runtime.infer(model, inputs, outputs);
    runtimeNanos += System.nanoTime() - start;
    return results;
  }

  private void countCache() {
    long cached = cache.values().stream().mapToLong(Tensor::sizeBytes).sum();
    peakCacheBytes = Math.max(peakCacheBytes, cached);
  }

  private void guide(FloatBuffer output) {
    int channels = manifest.channels();
    int outputChannels = manifest.outputChannels();
    int plane = manifest.height() * manifest.width();
    guidance.apply(output, prediction.epsilon(), channels, outputChannels, plane);
    if (sampler.needsVariance()) {
      guidance.variance(output, prediction.variance(), channels, outputChannels, plane);
    }
  }

  /** The model's prediction at a step: computed and reused branches as the route says. */
  private Tensor predict(int s) {
    Schedule.Step step = schedule.steps().get(s);
    Route route = schedule.route(s);
    Map<String, Tensor> inputs = new HashMap<>();
    Map<String, Tensor> own = new HashMap<>(); // made for this call only
    try {
      own.put(Names.SAMPLE, sample());
      own.put(Names.TIMESTEP, timestep(sampler.timesteps().get(s)));
      if (route.histories().stream().anyMatch(history -> history > 1)) {
        own.put(Names.REUSE_WEIGHTS, reuseWeights(step.weights()));
      }
      inputs.putAll(own);
      inputs.putAll(conditions);
      Set<String> outputs = new HashSet<>(Set.of(Names.NOISE_PREDICTION));
      for (int b = 0; b < manifest.branches().size(); b++) {
        String branch = manifest.branches().get(b);
        for (int age = 0; age < step.reads().get(b).size(); age++) {
          Schedule.Output output = new Schedule.Output(b, step.reads().get(b).get(age));
          inputs.put(Names.history(branch, age + 1), cache.get(output));
        }
        if (route.stored().get(b)) {
          outputs.add(branch);
        }
      }
      Map<String, Tensor> results = infer(ensemble(s), inputs, outputs);
      for (int b = 0; b < manifest.branches().size(); b++) {
        if (route.stored().get(b)) {
          cache.put(new Schedule.Output(b, s), results.get(manifest.branches().get(b)));
        }
      }
      countCache();
      step.dropped().forEach(output -> cache.remove(output).close());
      return results.get(Names.NOISE_PREDICTION);
    } finally {
      own.values().forEach(Tensor::close);
    }
  }

  private String ensemble(int s) {
    return ensemble(manifest, router, schedule, s);
  }

  /** The model that a step runs. */
  static String ensemble(Manifest manifest, String router, Schedule schedule, int step) {
    return router.equals(Request.NO_ROUTER)
        ? manifest.model()
        : Names.route(manifest.model(), router, schedule.steps().get(step).route());
  }

  private Tensor sample() {
    sample.clear();
    while (sample.hasRemaining()) {
      sample.put(x);
    }
    return runtime.tensor(
        sample.flip(), batch, manifest.channels(), manifest.height(), manifest.width());
  }

  private Tensor timestep(int timestep) {
    long[] values = new long[batch];
    Arrays.fill(values, timestep);
    return runtime.tensor(LongBuffer.wrap(values), batch, 1);
  }

  private Tensor reuseWeights(float[][] weights) {
    FloatBuffer values = FloatBuffer.allocate(batch * weights.length * Route.MAX_HISTORY);
    for (int i = 0; i < batch; i++) {
      for (float[] branch : weights) {
        values.put(branch);
      }
    }
    return runtime.tensor(values.flip(), batch, weights.length, Route.MAX_HISTORY);
  }

  /** A wrong picture must not come out silently: fp16 can overflow, a checkpoint be broken. */
  private void requireFinite(int step) {
    for (float value : x) {
      if (!Float.isFinite(value)) {
        throw new HarmonicaException(
            "model %s leads to %s at step %d (precision %s): %s"
                .formatted(
                    manifest.model(),
                    value,
                    step,
                    manifest.precision(),
                    manifest.precision().equals("fp16")
                        ? "its numbers overflow; export it with --precision fp32"
                        : "its checkpoint holds NaN or numbers too large; try another"));
      }
    }
  }

  long runtimeNanos() {
    return runtimeNanos;
  }

  /** Most bytes of cached branch outputs at any step, what that step stored included. */
  long peakCacheBytes() {
    return peakCacheBytes;
  }

  @Override
  public void close() {
    conditions.values().forEach(Tensor::close);
    cache.values().forEach(Tensor::close);
    cache.clear();
  }
}
