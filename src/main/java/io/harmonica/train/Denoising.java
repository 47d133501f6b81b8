package io.harmonica.train;

import io.harmonica.model.Branch;
import io.harmonica.model.Conditioning;
import io.harmonica.model.Denoiser;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Stepper;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A model and its sampler as training runs them: passes in which anything may stand in for a
 * branch's output.
 *
 * <p>Legend: n pictures, B rows of the model's batch (2 n with guidance, else n), N tokens, D
 * width, C channels of a sample, O of a prediction.
 */
final class Denoising {
  private final TorchOps ops;
  private final Denoiser model;
  private final List<Branch> branches;
  private final Sampler sampler;
  private final double guidance;
  private final int guidanceChannels;
  private final Optional<Captions> captions;
  private long passes;

  /** Of a model that takes labels. */
  Denoising(TorchOps ops, Denoiser model, Sampler sampler, double guidance, int guidanceChannels) {
    this(ops, model, sampler, guidance, guidanceChannels, Optional.empty());
  }

  Denoising(
      TorchOps ops,
      Denoiser model,
      Sampler sampler,
      double guidance,
      int guidanceChannels,
      Optional<Captions> captions) {
    this.ops = ops;
    this.model = model;
    this.branches = model.branches();
    this.sampler = sampler;
    this.guidance = guidance;
    this.guidanceChannels = guidanceChannels;
    this.captions = captions;
  }

  /** Chooses a branch's output, (B, N, D): the computed one, a stored one, a mixture. */
  interface Route {
    Value output(int branch, Supplier<Value> computed);
  }

  /** Every branch is computed. */
  static final Route FULL = (branch, computed) -> computed.get();

  /** The same without guidance. */
  Denoising unguided() {
    return new Denoising(ops, model, sampler, 1, guidanceChannels, captions);
  }

  TorchOps ops() {
    return ops;
  }

  int branches() {
    return branches.size();
  }

  Stepper start() {
    return sampler.start();
  }

  int steps() {
    return sampler.timesteps().size();
  }

  /** Passes so far. */
  long passes() {
    return passes;
  }

  /** Labels and noise of a batch; with guidance it has two rows a picture. */
  Batch draw(int pictures, long seed) {
    return Batch.draw(model.io(), nullClass(), pictures, guides(), seed);
  }

  /** What guidance leads away from: the label after the last, or the null caption's index. */
  int nullClass() {
    return captions.map(Captions::count).orElse(model.io().classes());
  }

  /**
   * Tokens, and everything that depends on timestep and label or text only: the same for student
   * and teacher.
   */
  Map<String, Value> embed(Walk walk) {
    int n = walk.batch().pictures();
    float[] x = walk.x();
    int[] labels = walk.batch().classes();
    if (guides()) { // the model sees the first half twice; the second has the null class
      x = x.clone();
      System.arraycopy(x, 0, x, x.length / 2, x.length / 2);
      labels = Arrays.copyOf(labels, 2 * n);
      Arrays.fill(labels, n, 2 * n, nullClass());
    }
    return embed(sampler.timesteps().get(walk.step()), x, labels);
  }

  /** The same for any samples, [B, C, H, W]. */
  Map<String, Value> embed(int timestep, float[] x, int[] labels) {
    int rows = labels.length;
    long[] times = new long[rows];
    Arrays.fill(times, timestep);
    Denoiser.Interface io = model.io();
    Map<String, Value> inputs = new LinkedHashMap<>();
    inputs.put("sample", ops.input(x, rows, io.channels(), io.height(), io.width()));
    inputs.put("timestep", ops.input(times, rows, 1));
    if (captions.isPresent()) {
      inputs.putAll(captions.get().inputs(ops, io, labels));
    } else {
      long[] classes = Arrays.stream(labels).asLongStream().toArray();
      inputs.put("class_label", ops.input(classes, rows, 1));
    }
    return model.embed(ops, inputs);
  }

  /** The model's prediction: (B, O, H, W). */
  Value pass(Map<String, Value> embedded, Route route) {
    passes++;
    Conditioning<Value> conditioning = embedded::get;
    Value hidden = embedded.get(Denoiser.HIDDEN); // (B, N, D)
    for (int b = 0; b < branches.size(); b++) {
      Branch branch = branches.get(b);
      Value before = hidden;
      Value output =
          route.output(b, () -> model.branch(ops, branch, before, conditioning)); // (B, N, D)
      hidden = model.join(ops, branch, hidden, output, conditioning);
    }
    return model.head(ops, hidden, conditioning);
  }

  /**
   * A pass with classifier-free guidance: (B, O, H, W), the guided channels alike in both halves.
   */
  Value guided(Map<String, Value> embedded, Route route) {
    Value prediction = pass(embedded, route);
    if (!guides()) {
      return prediction;
    }
    long n = prediction.shape()[0] / 2;
    long channels = prediction.shape()[1];
    Value acted = ops.slice(prediction, 1, 0, guidanceChannels);
    Value uncond = ops.slice(acted, 0, n, 2 * n);
    Value away = ops.sub(ops.slice(acted, 0, 0, n), uncond);
    Value scale = ops.constant(new float[] {(float) guidance}, 1);
    Value guided = ops.add(uncond, ops.mul(scale, away)); // (n, guided channels, H, W)
    Value both = ops.concat(0, List.of(guided, guided));
    return guidanceChannels == channels
        ? both
        : ops.concat(1, List.of(both, ops.slice(prediction, 1, guidanceChannels, channels)));
  }

  /** The result of a batch with everything computed: [B, C, H, W]. */
  float[] uncached(Batch batch) {
    try (Walk walk = Walk.start(this, batch, 0, 0)) {
      while (!walk.done()) {
        try (Scope scope = Scope.open()) {
          walk.advance(guided(embed(walk), FULL).floats());
        }
      }
      return walk.x();
    }
  }

  /** Steps samples [B, C, H, W] in place by a guided prediction [B, O, H, W]. */
  void step(Stepper stepper, int step, float[] x, float[] prediction, Batch batch) {
    float[] noise = sampler.needsNoise(step) ? batch.noise(step) : null;
    float[] variance = sampler.needsVariance() ? channels(prediction, model.io().channels()) : null;
    stepper.step(step, x, new Prediction(epsilon(prediction), variance), noise);
  }

  /** The first C channels of a prediction. */
  float[] epsilon(float[] prediction) {
    return channels(prediction, 0);
  }

  /** C channels of a prediction from one on. */
  private float[] channels(float[] prediction, int first) {
    Denoiser.Interface io = model.io();
    int plane = io.height() * io.width();
    int size = io.channels() * plane;
    int stride = io.outputChannels() * plane;
    float[] epsilon = new float[prediction.length / stride * size];
    for (int row = 0; row * stride < prediction.length; row++) {
      System.arraycopy(prediction, row * stride + first * plane, epsilon, row * size, size);
    }
    return epsilon;
  }

  private boolean guides() {
    return guidance > 1;
  }
}
