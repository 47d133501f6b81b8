package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Calls.Call;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.router.Schedule;
import io.harmonica.router.Schedule.Output;
import io.harmonica.runtime.LostTensorsException;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Stepper;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.function.IntFunction;

/**
 * One batch on its way from noise to pictures: the denoising loop. Owns the cached branch outputs
 * and closes each after its last reader.
 *
 * <p>The loop is a state that calls move on: {@link #call} says what to run next, {@link #accept}
 * takes its results, until it {@link #isDone}. So one loop serves threads that wait ({@link #run})
 * and futures ({@link Flight}). {@link Calls} puts the calls together, each for one step or for
 * several. Cached outputs that a server took along when it went away are computed again first:
 * {@link Replay}.
 */
final class Trajectory implements AutoCloseable {
  private final Runtime runtime;
  private final Manifest manifest;
  private final Schedule schedule;
  private final Sampler sampler;
  private final Guidance guidance;
  private final Calls calls;
  private final float[] x; // (B, C, H, W)
  private final Prediction prediction;
  private final int firstPicture;
  private final Noise noise;
  private final Recorder recorder;
  private final Stepper stepper;
  private final Replay replay;
  private final Map<Output, Tensor> cache = new HashMap<>();
  private final Map<Integer, float[]> samples = new HashMap<>(); // that calls began with
  private final Set<Output> lost = new HashSet<>();
  private final Map<Output, Tensor> regained = new HashMap<>(); // in a replay
  private List<Integer> again = List.of(); // first steps of calls to replay yet
  private int step;
  private Call open; // called and not yet accepted
  private long callNanos;
  private long runtimeNanos;
  private long peakCacheBytes;

  /**
   * Prepares a batch.
   *
   * @param stretches where several steps go in one request
   * @param start the noise that it starts from
   * @param conditions makes what to draw, the whole batch so many times one after the other
   * @param firstPicture index of the batch's first picture, which {@code noise} goes by
   */
  Trajectory(
      Runtime runtime,
      Manifest manifest,
      String router,
      Schedule schedule,
      Sampler sampler,
      Guidance guidance,
      Optional<Stretches> stretches,
      Latents start,
      IntFunction<Map<String, Tensor>> conditions,
      int firstPicture,
      Noise noise,
      Recorder recorder) {
    this.runtime = runtime;
    this.manifest = manifest;
    this.schedule = schedule;
    this.sampler = sampler;
    this.guidance = guidance;
    this.calls =
        new Calls(
            runtime,
            manifest,
            router,
            schedule,
            sampler,
            guidance,
            stretches,
            conditions,
            start.count());
    this.x = start.values().clone();
    this.prediction =
        new Prediction(new float[x.length], sampler.needsVariance() ? new float[x.length] : null);
    this.firstPicture = firstPicture;
    this.noise = noise;
    this.recorder = recorder;
    this.stepper = sampler.start();
    this.replay = new Replay(calls::first, first -> Set.copyOf(calls.reads(first).values()));
  }

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

  /**
   * The next call: of the next step, or of one that must run again. Its inputs stay the
   * trajectory's until {@link #accept} or {@link #lost}.
   */
  Call call() {
    boolean replaying = !again.isEmpty();
    int first = replaying ? again.get(0) : step;
    callNanos = System.nanoTime();
    calls.prepare(first);
    runtimeNanos += System.nanoTime() - callNanos;
    open = calls.at(first, replaying ? samples.get(first) : x, this::cached);
    callNanos = System.nanoTime();
    return open;
  }

  private Tensor cached(Output output) {
    Tensor tensor = cache.get(output);
    return tensor != null ? tensor : regained.get(output);
  }

  /** Takes the results of the last {@link #call}. */
  void accept(Map<String, Tensor> results) {
    runtimeNanos += System.nanoTime() - callNanos;
    Call call = closeOwn();
    if (again.isEmpty()) {
      finish(call, results);
    } else {
      regain(call, results);
    }
  }

  /** The last {@link #call} did not run: inputs of it are gone. The next calls make them again. */
  void lost(LostTensorsException fault) {
    Call call = closeOwn();
    Set<Output> gone = new HashSet<>();
    call.reads()
        .forEach(
            (name, output) -> {
              if (fault.inputs().contains(name)) {
                gone.add(output);
              }
            });
    if (gone.isEmpty()) {
      throw fault; // nothing that this trajectory could make again
    }
    for (Output output : gone) {
      close(regained.remove(output));
      if (cache.containsKey(output)) {
        close(cache.remove(output));
        lost.add(output);
      }
    }
    Set<Output> there = new HashSet<>(cache.keySet());
    there.addAll(regained.keySet());
    again = replay.calls(lost, there);
  }

  private static void close(Tensor tensor) {
    if (tensor != null) {
      tensor.close();
    }
  }

  /** Takes what a call that ran again had stored. */
  private void regain(Call call, Map<String, Tensor> results) {
    results.forEach(
        (name, tensor) -> {
          Output output = call.stores().get(name);
          if (output == null) {
            tensor.close(); // the step itself is long made
          } else if (lost.remove(output)) {
            cache.put(output, tensor);
          } else if (cache.containsKey(output) || regained.containsKey(output)) {
            tensor.close(); // was never lost
          } else {
            regained.put(output, tensor); // perhaps a later call to run again reads it
          }
        });
    again = again.subList(1, again.size());
    if (again.isEmpty()) {
      regained.values().forEach(Tensor::close);
      regained.clear();
    }
  }

  /** Makes the step: guidance, then the sampler. After a stretch the server has made it. */
  private void finish(Call call, Map<String, Tensor> results) {
    if (!call.stores().isEmpty()) {
      samples.put(call.span().first(), x.clone());
    }
    call.stores().forEach((name, output) -> cache.put(output, results.get(name)));
    try (Tensor output = results.get(call.prediction());
        Tensor next = results.get(Names.NEXT_SAMPLE)) {
      long cached = cache.values().stream().mapToLong(Tensor::sizeBytes).sum();
      peakCacheBytes = Math.max(peakCacheBytes, cached);
      for (Schedule.Step done :
          schedule.steps().subList(call.span().first(), call.span().last() + 1)) {
        done.dropped().forEach(dropped -> close(cache.remove(dropped))); // if it left the server
      }
      replay.forget(samples, cache.keySet());
      FloatBuffer values = output.floats();
      if (call.span().isStretch()) {
        next.floats().get(x); // the first half where guidance doubles it
      } else {
        step(call.span().first(), values);
      }
      requireFinite(call.span().last());
      step = call.span().last() + 1;
      tell(call.span().last(), values);
    }
  }

  private void step(int s, FloatBuffer output) {
    guide(output);
    int size = manifest.channels() * manifest.height() * manifest.width();
    boolean noisy = sampler.needsNoise(s);
    float[] fresh = noisy ? noise.ofStep(s, firstPicture, x.length / size, size) : null;
    stepper.step(s, x, prediction, fresh);
  }

  private void tell(int s, FloatBuffer output) {
    int steps = sampler.timesteps().size();
    var event =
        new StepListener.Step(firstPicture, s, steps, sampler.timesteps().get(s), x, output);
    if (!recorder.onStep(event, runtimeNanos)) {
      throw new CancellationException("cancelled after step " + (s + 1) + " of " + steps);
    }
  }

  private Call closeOwn() {
    Call call = open;
    open = null;
    if (call != null) {
      call.closeOwn();
    }
    return call;
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
    calls.close();
    cache.values().forEach(Tensor::close);
    cache.clear();
  }
}
