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
import java.util.function.Consumer;
import java.util.function.Function;

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
  private final Optional<Skipping> skipping;
  private final int batch;
  private final FloatBuffer sample; // (B or 2 B, C, H, W)

  /**
   * Prepares for a batch.
   *
   * @param conditions makes what to draw
   * @param ahead makes for many steps what needs no sample; empty: each step makes its own
   * @param pictures in the batch
   */
  Calls(
      Admitted admitted,
      Runtime runtime,
      Conditions conditions,
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
    this.skipping = Skipping.of(runtime, admitted, conditions, ahead, pictures);
    this.sample =
        ByteBuffer.allocateDirect(
                4 * batch * manifest.channels() * manifest.height() * manifest.width())
            .order(ByteOrder.nativeOrder())
            .asFloatBuffer();
    this.conditions = conditions.of(1, input -> true); // last: nobody would close them
  }

  /**
   * One request.
   *
   * @param index in the program, of itself or of what it is made ahead of
   * @param own inputs that are made for this call only
   * @param beside takes the results of a call that is none of the program's; empty for one that is
   */
  record Call(
      int index,
      String model,
      Map<String, Tensor> own,
      Map<String, Tensor> inputs,
      Set<String> outputs,
      Optional<Consumer<Map<String, Tensor>>> beside) {

    void closeOwn() {
      own.values().forEach(Tensor::close);
    }
  }

  /**
   * The call that a place of the program needs before its own: what makes what several steps take,
   * or a pass without some blocks; empty where all that is there.
   *
   * @param from the sample that it begins with, [B, C, H, W]
   */
  Optional<Call> before(int index, float[] from) {
    int step = program.calls().get(index).first();
    return ahead
        .flatMap(some -> some.call(index, step))
        .or(() -> skipping.flatMap(some -> some.call(index, step, from)));
  }

  /** What a step's guided output takes beside the prediction. */
  Optional<Skipping> skipping() {
    return skipping;
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
    Map<String, Tensor> own =
        Inputs.of(
            all -> {
              all.put(Names.SAMPLE, sample(from));
              for (int i = 0; i < planned.steps(); i++) {
                Tensor timestep = times.tensor(planned.first() + i, 1, batch);
                all.put(planned.tensor(Names.TIMESTEP, i), timestep);
              }
              planned.weights().forEach((input, weights) -> all.put(input, reuseWeights(weights)));
              if (planned.isStretch()) {
                samplerInputs.put(planned, state, all);
              }
              ahead.ifPresent(some -> all.putAll(some.rows(model, planned.first())));
            });
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
    return new Call(index, model, own, inputs, outputs, Optional.empty());
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
    skipping.ifPresent(Skipping::close);
  }
}
