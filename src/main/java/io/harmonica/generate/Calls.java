package io.harmonica.generate;

import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.router.Route;
import io.harmonica.router.Schedule.Output;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Sampler;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.IntFunction;

/**
 * Puts the calls of a trajectory together, as its program says: sample, timesteps, conditions,
 * cached outputs with their weights, and for several steps the sampler's numbers.
 */
final class Calls implements AutoCloseable {
  private final Runtime runtime;
  private final Manifest manifest;
  private final Program program;
  private final Sampler sampler;
  private final SamplerInputs samplerInputs;
  private final TimestepInput times;
  private final Map<String, Tensor> conditions;
  private final Optional<Ahead> ahead;
  private final int batch;
  private final FloatBuffer sample; // (B or 2 B, C, H, W)

  /**
   * Prepares for a batch.
   *
   * @param conditions makes what to draw, so many times one after the other
   * @param ahead makes for many steps what needs no sample; empty: each step makes its own
   * @param pictures in the batch
   */
  Calls(
      Admitted admitted,
      Runtime runtime,
      IntFunction<Map<String, Tensor>> conditions,
      Optional<Ahead> ahead,
      int pictures) {
    this.runtime = runtime;
    this.manifest = admitted.manifest();
    this.program = admitted.program();
    this.sampler = admitted.sampler();
    this.batch = admitted.rows(pictures);
    this.samplerInputs = new SamplerInputs(runtime, manifest, sampler, admitted.guidance(), batch);
    this.times = new TimestepInput(runtime, admitted.wholeTimesteps(), sampler.timesteps());
    this.ahead = ahead;
    this.sample =
        ByteBuffer.allocateDirect(
                4 * batch * manifest.channels() * manifest.height() * manifest.width())
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    this.conditions = conditions.apply(1); // last: nobody would close them
  }

  /**
   * One request.
   *
   * @param index in the program, of itself or of what it is made ahead of
   * @param own inputs that are made for this call only
   */
  record Call(
      int index,
      String model,
      boolean isAhead,
      Map<String, Tensor> own,
      Map<String, Tensor> inputs,
      Set<String> outputs) {

    void closeOwn() {
      own.values().forEach(Tensor::close);
    }
  }

  /** The call that makes what several steps take, where that at this place lacks it. */
  Optional<Call> before(int index) {
    int step = program.calls().get(index).first();
    return ahead.filter(some -> !some.has(step)).map(some -> some.call(index, step));
  }

  /** Takes the results of {@link #before}. */
  void take(Map<String, Tensor> results) {
    ahead.orElseThrow().take(results);
  }

  /**
   * The call at a place of the program.
   *
   * @param from the sample that it begins with, [B, C, H, W]
   * @param state what earlier steps left, each [B, C, H, W], where the sampler reads it
   * @param cached where reused outputs are
   */
  Call at(int index, float[] from, List<float[]> state, Function<Output, Tensor> cached) {
    Program.Call planned = program.calls().get(index);
    String model = ahead.isPresent() ? Names.conditioned(planned.model()) : planned.model();
    Map<String, Tensor> own = new HashMap<>();
    try {
      own.put(Names.SAMPLE, sample(from));
      for (int i = 0; i < planned.steps(); i++) {
        own.put(planned.tensor(Names.TIMESTEP, i), times.tensor(planned.first() + i, 1, batch));
      }
      planned.weights().forEach((input, weights) -> own.put(input, reuseWeights(weights)));
      if (planned.isStretch()) {
        samplerInputs.put(planned, state, own);
      }
      ahead.ifPresent(some -> own.putAll(some.rows(model, planned.first())));
    } catch (RuntimeException e) {
      own.values().forEach(Tensor::close);
      throw e;
    }
    Map<String, Tensor> inputs = new HashMap<>(own);
    inputs.putAll(conditions);
    ahead.ifPresent(some -> inputs.keySet().retainAll(some.inputs(model)));
    planned.reads().forEach(read -> inputs.put(read.input(), cached.apply(read.output())));
    Set<String> outputs = new HashSet<>(Set.of(prediction(planned)));
    planned.keeps().forEach(keep -> outputs.add(keep.output()));
    if (planned.isStretch()) {
      outputs.add(Names.NEXT_SAMPLE);
      samplerInputs.statesRead(planned).forEach(left -> outputs.add(Names.next(left)));
    }
    return new Call(index, model, false, own, inputs, outputs);
  }

  /** The output that is the prediction of a call's last step. */
  static String prediction(Program.Call planned) {
    return planned.tensor(Names.NOISE_PREDICTION, planned.steps() - 1);
  }

  private Tensor sample(float[] from) {
    sample.clear();
    while (sample.hasRemaining()) {
      sample.put(from);
    }
    return runtime.tensor(
        sample.flip(), batch, manifest.channels(), manifest.height(), manifest.width());
  }

  private Tensor reuseWeights(float[][] weights) {
    FloatBuffer values = FloatBuffer.allocate(batch * weights.length * Route.MAX_HISTORY);
    for (int i = 0; i < batch; i++) {
      for (float[] row : weights) {
        values.put(row);
      }
    }
    return runtime.tensor(values.flip(), batch, weights.length, Route.MAX_HISTORY);
  }

  @Override
  public void close() {
    conditions.values().forEach(Tensor::close);
  }
}
