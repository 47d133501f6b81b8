package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule;
import io.harmonica.router.Schedule.Output;
import io.harmonica.router.Stretch;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Sampler;
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
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * What a trajectory asks of its runtime: one step in a request, or a stretch of several where those
 * go together, as its schedule says.
 */
final class Calls implements AutoCloseable {
  private final Runtime runtime;
  private final Manifest manifest;
  private final String router;
  private final Schedule schedule;
  private final Sampler sampler;
  private final Guidance guidance;
  private final Optional<Stretches> stretches;
  private final Map<String, Tensor> conditions;
  private final Optional<Ahead> ahead;
  private final int batch;
  private final FloatBuffer sample; // (B or 2 B, C, H, W)

  /**
   * Prepares for a batch.
   *
   * @param stretches where several steps go in one request
   * @param conditions makes what to draw, so many times one after the other
   * @param pictures in the batch
   */
  Calls(
      Runtime runtime,
      Manifest manifest,
      String router,
      Schedule schedule,
      Sampler sampler,
      Guidance guidance,
      Optional<Stretches> stretches,
      IntFunction<Map<String, Tensor>> conditions,
      int pictures) {
    this.runtime = runtime;
    this.manifest = manifest;
    this.router = router;
    this.schedule = schedule;
    this.sampler = sampler;
    this.guidance = guidance;
    this.stretches = stretches;
    this.conditions = conditions.apply(1);
    this.batch = (guidance.doublesBatch() ? 2 : 1) * pictures;
    this.ahead =
        stretches.isPresent()
            ? Optional.empty()
            : Ahead.of(runtime, manifest.model(), sampler.timesteps(), conditions, batch);
    this.sample =
        ByteBuffer.allocateDirect(
                4 * batch * manifest.channels() * manifest.height() * manifest.width())
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
  }

  /**
   * One request.
   *
   * @param span the steps that it takes
   * @param own inputs that are made for this call only
   * @param reads inputs that are cached outputs
   * @param stores outputs that later calls read, by their names
   * @param prediction the output that is the prediction of the last step
   */
  record Call(
      Span span,
      Map<String, Tensor> own,
      Map<String, Tensor> inputs,
      Map<String, Output> reads,
      Map<String, Output> stores,
      String prediction,
      Set<String> outputs) {

    String model() {
      return span.model();
    }

    void closeOwn() {
      own.values().forEach(Tensor::close);
    }
  }

  /** The step by which the call that takes this one begins. */
  int first(int step) {
    return stretches.map(some -> some.firstWith(step)).orElse(step);
  }

  /** What the call that begins with a step reuses, by the names of its inputs. */
  Map<String, Output> reads(int first) {
    Map<String, Output> reads = new HashMap<>();
    List<String> branches = manifest.branches();
    if (stretches.isPresent() && stretches.get().beginsAt(first)) {
      stretches
          .get()
          .at(first)
          .before()
          .forEach(
              (output, age) ->
                  reads.put(Names.history(branches.get(output.branch()), age), output));
      return reads;
    }
    List<List<Integer>> perBranch = schedule.steps().get(first).reads();
    for (int b = 0; b < branches.size(); b++) {
      for (int age = 1; age <= perBranch.get(b).size(); age++) {
        reads.put(
            Names.history(branches.get(b), age), new Output(b, perBranch.get(b).get(age - 1)));
      }
    }
    return reads;
  }

  /**
   * The call that begins with a step.
   *
   * @param from the sample that it begins with, [B, C, H, W]
   * @param cached where reused outputs are
   */
  Call at(int first, float[] from, Function<Output, Tensor> cached) {
    Map<String, Tensor> own = new HashMap<>();
    try {
      own.put(Names.SAMPLE, sample(from));
      Span span = span(manifest, router, schedule, stretches, first);
      return span.isStretch()
          ? stretch(stretches.orElseThrow(), span, own, cached)
          : step(span, own, cached);
    } catch (RuntimeException e) {
      own.values().forEach(Tensor::close);
      throw e;
    }
  }

  /** Has the runtime make what is made for several steps at once, this one's too. */
  void prepare(int first) {
    ahead.ifPresent(some -> some.prepare(first));
  }

  /** Computed and reused branches as the route says. */
  private Call step(Span span, Map<String, Tensor> own, Function<Output, Tensor> cached) {
    int s = span.first();
    Route route = schedule.route(s);
    long[] timestep = new long[batch];
    Arrays.fill(timestep, sampler.timesteps().get(s));
    own.put(Names.TIMESTEP, runtime.tensor(LongBuffer.wrap(timestep), batch, 1));
    if (route.histories().stream().anyMatch(history -> history > 1)) {
      own.put(Names.REUSE_WEIGHTS, reuseWeights(schedule.steps().get(s).weights()));
    }
    Map<String, Output> stores = new HashMap<>();
    for (int b = 0; b < manifest.branches().size(); b++) {
      if (route.stored().get(b)) {
        stores.put(manifest.branches().get(b), new Output(b, s));
      }
    }
    ahead.ifPresent(some -> own.putAll(some.inputs(span.model(), s)));
    return call(span, own, stores, Names.NOISE_PREDICTION, cached);
  }

  /** Several steps at the server, the sampler's too. */
  private Call stretch(
      Stretches several, Span span, Map<String, Tensor> own, Function<Output, Tensor> cached) {
    Stretch.Placed placed = several.at(span.first());
    own.putAll(several.inputs(runtime, placed, guidance, batch));
    Map<String, Output> stores = new HashMap<>();
    for (Output output : placed.keeps()) {
      stores.put(span.output(manifest.branches().get(output.branch()), output.step()), output);
    }
    return call(span, own, stores, span.output(Names.NOISE_PREDICTION, span.last()), cached);
  }

  private Call call(
      Span span,
      Map<String, Tensor> own,
      Map<String, Output> stores,
      String prediction,
      Function<Output, Tensor> cached) {
    Map<String, Output> reads = reads(span.first());
    Map<String, Tensor> inputs = new HashMap<>(own);
    inputs.putAll(conditions);
    reads.forEach((name, output) -> inputs.put(name, cached.apply(output)));
    Set<String> outputs = new HashSet<>(stores.keySet());
    outputs.add(prediction);
    if (span.isStretch()) {
      outputs.add(Names.NEXT_SAMPLE);
    }
    return new Call(span, own, inputs, reads, stores, prediction, outputs);
  }

  /**
   * The steps of one request.
   *
   * @param first of them
   * @param last of them, as a rule the same
   * @param model that takes them
   */
  record Span(int first, int last, String model) {
    boolean isStretch() {
      return last > first;
    }

    /** What the model calls a step's output: a branch's, or the prediction. */
    String output(String name, int step) {
      return isStretch() ? Names.ofStep(name, step - first) : name;
    }
  }

  /** The requests of a trajectory, in order. */
  static List<Span> spans(
      Manifest manifest, String router, Schedule schedule, Optional<Stretches> stretches) {
    List<Span> spans = new ArrayList<>();
    int first = 0;
    while (first < schedule.steps().size()) {
      Span span = span(manifest, router, schedule, stretches, first);
      spans.add(span);
      first = span.last() + 1;
    }
    return spans;
  }

  /** The request that begins with a step. */
  private static Span span(
      Manifest manifest,
      String router,
      Schedule schedule,
      Optional<Stretches> stretches,
      int first) {
    return stretches.isPresent() && stretches.get().beginsAt(first)
        ? new Span(first, first + stretches.get().size() - 1, stretches.get().name(first))
        : new Span(first, first, ensemble(manifest, router, schedule, first));
  }

  /** The model that a step runs. */
  private static String ensemble(Manifest manifest, String router, Schedule schedule, int step) {
    return router.equals(Request.NO_ROUTER)
        ? manifest.model()
        : Names.route(manifest.model(), router, schedule.steps().get(step).route());
  }

  private Tensor sample(float[] from) {
    sample.clear();
    while (sample.hasRemaining()) {
      sample.put(from);
    }
    return runtime.tensor(
        sample.flip(), batch, manifest.channels(), manifest.height(), manifest.width());
  }

  @Override
  public void close() {
    conditions.values().forEach(Tensor::close);
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
}
