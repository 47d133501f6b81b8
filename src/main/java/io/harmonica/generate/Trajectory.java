package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.runtime.LostTensorsException;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Stepper;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;

/**
 * One batch on its way from noise to pictures: the denoising loop. Owns the cached branch outputs
 * and closes each after its last reader.
 *
 * <p>The loop is a state that calls move on: {@link #call} says what to run next, {@link #accept}
 * takes its results, until it {@link #isDone}. So one loop serves threads that wait ({@link #run})
 * and futures ({@link Flight}). Cached outputs that a server took along when it went away are
 * computed again first: {@link Replay}.
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
  private final int firstPicture;
  private final Noise noise;
  private final StepListener listener;
  private final Stepper stepper;
  private final Replay replay;
  private final Map<Schedule.Output, Tensor> cache = new HashMap<>();
  private final Map<Integer, float[]> samples = new HashMap<>(); // of finished steps, for replays
  private final Set<Schedule.Output> lost = new HashSet<>();
  private final Map<Schedule.Output, Tensor> regained = new HashMap<>(); // in a replay
  private List<Integer> again = List.of(); // steps to replay yet
  private int step;
  private Call open; // called and not yet accepted
  private long callNanos;
  private long runtimeNanos;
  private long peakCacheBytes;

  /**
   * Prepares a batch.
   *
   * @param start the noise that it starts from
   * @param conditions what to draw, of the whole batch: its from here on
   * @param firstPicture index of the batch's first picture, which {@code noise} goes by
   */
  Trajectory(
      Runtime runtime,
      Manifest manifest,
      String router,
      Schedule schedule,
      Sampler sampler,
      Guidance guidance,
      Latents start,
      Map<String, Tensor> conditions,
      int firstPicture,
      Noise noise,
      StepListener listener) {
    this.runtime = runtime;
    this.manifest = manifest;
    this.router = router;
    this.schedule = schedule;
    this.sampler = sampler;
    this.guidance = guidance;
    this.x = start.values().clone();
    this.prediction =
        new Prediction(new float[x.length], sampler.needsVariance() ? new float[x.length] : null);
    int copies = guidance.doublesBatch() ? 2 : 1;
    this.batch = copies * start.count();
    this.sample =
        ByteBuffer.allocateDirect(4 * copies * x.length)
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    this.conditions = conditions;
    this.firstPicture = firstPicture;
    this.noise = noise;
    this.listener = listener;
    this.stepper = sampler.start();
    this.replay = new Replay(schedule);
  }

  /** What to run next; its inputs stay the trajectory's until {@link #accept} or {@link #lost}. */
  record Call(
      int step, String model, Map<String, Tensor> inputs, Set<String> outputs, List<Tensor> own) {}

  /** Runs all steps; the result is (B, C, H, W). */
  float[] run() {
    while (!isDone()) {
      Call call = call();
      Map<String, Tensor> results;
      try {
        results = runtime.infer(call.model(), call.inputs(), call.outputs());
      } catch (LostTensorsException e) {
        lost(e);
        continue;
      }
      accept(results);
    }
    return x;
  }

  boolean isDone() {
    return step == sampler.timesteps().size();
  }

  /** The finished samples, (B, C, H, W). */
  float[] samples() {
    return x;
  }

  /** The next call: of the next step, or of one that must run again. */
  Call call() {
    boolean replaying = !again.isEmpty();
    int s = replaying ? again.get(0) : step;
    open = call(s, replaying ? samples.get(s) : x);
    callNanos = System.nanoTime();
    return open;
  }

  /** Takes the results of the last {@link #call}. */
  void accept(Map<String, Tensor> results) {
    runtimeNanos += System.nanoTime() - callNanos;
    closeOwn();
    if (again.isEmpty()) {
      finish(results);
    } else {
      regain(again.get(0), results);
    }
  }

  /** The last {@link #call} did not run: inputs of it are gone. The next calls make them again. */
  void lost(LostTensorsException fault) {
    Call call = open;
    closeOwn();
    List<String> branches = manifest.branches();
    Set<Schedule.Output> gone = new HashSet<>();
    for (Schedule.Output read : replay.reads(call.step())) {
      int age = schedule.steps().get(call.step()).reads().get(read.branch()).indexOf(read.step());
      if (fault.inputs().contains(Names.history(branches.get(read.branch()), age + 1))) {
        gone.add(read);
      }
    }
    if (gone.isEmpty()) {
      throw fault; // nothing that this trajectory could make again
    }
    for (Schedule.Output output : gone) {
      close(regained.remove(output));
      if (cache.containsKey(output)) {
        close(cache.remove(output));
        lost.add(output);
      }
    }
    Set<Schedule.Output> there = new HashSet<>(cache.keySet());
    there.addAll(regained.keySet());
    again = replay.steps(lost, there);
  }

  private static void close(Tensor tensor) {
    if (tensor != null) {
      tensor.close();
    }
  }

  /** Takes what a step that ran again had stored. */
  private void regain(int s, Map<String, Tensor> results) {
    results.forEach(
        (name, tensor) -> {
          if (name.equals(Names.NOISE_PREDICTION)) {
            tensor.close(); // the step itself is long made
            return;
          }
          Schedule.Output output = new Schedule.Output(manifest.branches().indexOf(name), s);
          if (lost.remove(output)) {
            cache.put(output, tensor);
          } else if (cache.containsKey(output) || regained.containsKey(output)) {
            tensor.close(); // was never lost
          } else {
            regained.put(output, tensor); // perhaps a later step to run again reads it
          }
        });
    again = again.subList(1, again.size());
    if (again.isEmpty()) {
      regained.values().forEach(Tensor::close);
      regained.clear();
    }
  }

  /** Makes the step: guidance, then the sampler. */
  private void finish(Map<String, Tensor> results) {
    int s = step;
    Route route = schedule.route(s);
    if (route.stored().contains(true)) {
      samples.put(s, x.clone());
    }
    for (int b = 0; b < manifest.branches().size(); b++) {
      if (route.stored().get(b)) {
        cache.put(new Schedule.Output(b, s), results.get(manifest.branches().get(b)));
      }
    }
    try (Tensor output = results.get(Names.NOISE_PREDICTION)) {
      long cached = cache.values().stream().mapToLong(Tensor::sizeBytes).sum();
      peakCacheBytes = Math.max(peakCacheBytes, cached);
      schedule.steps().get(s).dropped().forEach(dropped -> cache.remove(dropped).close());
      replay.forget(samples, cache.keySet());
      FloatBuffer values = output.floats();
      guide(values);
      int size = manifest.channels() * manifest.height() * manifest.width();
      boolean noisy = sampler.needsNoise(s);
      float[] fresh = noisy ? noise.ofStep(s, firstPicture, x.length / size, size) : null;
      stepper.step(s, x, prediction, fresh);
      requireFinite(s);
      step++;
      int steps = sampler.timesteps().size();
      var event =
          new StepListener.Step(firstPicture, s, steps, sampler.timesteps().get(s), x, values);
      if (!listener.onStep(event)) {
        throw new CancellationException("cancelled after step " + (s + 1) + " of " + steps);
      }
    }
  }

  private void closeOwn() {
    if (open != null) {
      open.own().forEach(Tensor::close);
      open = null;
    }
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

  /** A step's call: computed and reused branches as its route says. */
  private Call call(int s, float[] from) {
    Schedule.Step planned = schedule.steps().get(s);
    Route route = schedule.route(s);
    Map<String, Tensor> inputs = new HashMap<>();
    List<Tensor> own = new ArrayList<>(); // made for this call only
    try {
      put(Names.SAMPLE, sample(from), inputs, own);
      put(Names.TIMESTEP, timestep(sampler.timesteps().get(s)), inputs, own);
      if (route.histories().stream().anyMatch(history -> history > 1)) {
        put(Names.REUSE_WEIGHTS, reuseWeights(planned.weights()), inputs, own);
      }
    } catch (RuntimeException e) {
      own.forEach(Tensor::close);
      throw e;
    }
    inputs.putAll(conditions);
    Set<String> outputs = new HashSet<>(Set.of(Names.NOISE_PREDICTION));
    for (int b = 0; b < manifest.branches().size(); b++) {
      String branch = manifest.branches().get(b);
      for (int age = 0; age < planned.reads().get(b).size(); age++) {
        Schedule.Output output = new Schedule.Output(b, planned.reads().get(b).get(age));
        Tensor cached = cache.get(output);
        inputs.put(Names.history(branch, age + 1), cached != null ? cached : regained.get(output));
      }
      if (route.stored().get(b)) {
        outputs.add(branch);
      }
    }
    return new Call(s, ensemble(planned), inputs, outputs, own);
  }

  private static void put(
      String name, Tensor tensor, Map<String, Tensor> inputs, List<Tensor> own) {
    own.add(tensor);
    inputs.put(name, tensor);
  }

  private String ensemble(Schedule.Step step) {
    return router.equals(Request.NO_ROUTER)
        ? manifest.model()
        : Names.route(manifest.model(), router, step.route());
  }

  private Tensor sample(float[] from) {
    sample.clear();
    while (sample.hasRemaining()) {
      sample.put(from);
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
    closeOwn();
    regained.values().forEach(Tensor::close);
    regained.clear();
    conditions.values().forEach(Tensor::close);
    cache.values().forEach(Tensor::close);
    cache.clear();
  }
}
