package io.harmonica.train.trajectory;

import io.harmonica.Element;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import io.harmonica.model.Shows;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.Prediction;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Stepper;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A model, its sampler and its guidance as training runs them: every column's output may be
 * replaced by another ({@link Substitute}).
 *
 * <p>Legend: n pictures, B rows of the model's batch (2 n with guidance, else n), N tokens, D
 * width, C channels of a sample, O of a prediction.
 */
public final class Denoising {
  private final TorchOps ops;
  private final Denoiser model;
  private final Passes passes;
  private final Sampler sampler;
  private final double scale;
  private final Guidance guidance;
  private final Optional<Captions> captions;
  private final Map<Drawn, float[]> uncached; // results so far

  /** Of a model that takes no text. */
  public Denoising(
      TorchOps ops, Denoiser model, Sampler sampler, double guidance, int guidanceChannels) {
    this(ops, model, sampler, guidance, guidanceChannels, Optional.empty());
  }

  /**
   * Of any model.
   *
   * @param guidance its scale; a model that is told it takes one row for each picture
   */
  public Denoising(
      TorchOps ops,
      Denoiser model,
      Sampler sampler,
      double guidance,
      int guidanceChannels,
      Optional<Captions> captions) {
    this(
        ops,
        model,
        Passes.exact(ops, model, Column.branches(model)),
        sampler,
        guidance,
        guidanceChannels,
        captions,
        new HashMap<>());
  }

  private Denoising(
      TorchOps ops,
      Denoiser model,
      Passes passes,
      Sampler sampler,
      double guidance,
      int guidanceChannels,
      Optional<Captions> captions,
      Map<Drawn, float[]> uncached) {
    this.ops = ops;
    this.model = model;
    this.passes = passes;
    this.sampler = sampler;
    this.scale = guidance;
    this.guidance = new Guidance(model.io().shows().guided() ? 1 : scale, guidanceChannels, true);
    this.captions = captions;
    this.uncached = uncached;
  }

  /** What tells batches apart: their labels and noise follow from it. */
  private record Drawn(long seed, int pictures) {}

  /**
   * The same by other columns. Of two that share branches one must cover the other; a branch
   * without a column is always computed.
   */
  public Denoising over(List<Column> other) {
    return by(passes.over(other));
  }

  /**
   * The same with passes in other numbers, as engines will have them. {@link #uncached} pictures
   * stay those of before, so errors are those against the exact model.
   *
   * @param interpreter of the model; everything else stays libtorch's
   * @param precision what tells it from others, {@code int8}
   */
  public Denoising in(Ops<Value> interpreter, String precision) {
    return by(new Passes(ops, interpreter, precision, model, passes.columns()));
  }

  private Denoising by(Passes other) {
    return new Denoising(
        ops, model, other, sampler, scale, guidance.channels(), captions, uncached);
  }

  /** The same without guidance. */
  public Denoising unguided() {
    return new Denoising(
        ops, model, passes, sampler, 1, guidance.channels(), captions, new HashMap<>());
  }

  public TorchOps ops() {
    return ops;
  }

  /** Of the passes: {@code fp32}, {@code int8}. */
  public String precision() {
    return passes.precision();
  }

  /** How many columns there are. */
  public int columns() {
    return passes.columns().size();
  }

  /** The columns. */
  public List<Column> all() {
    return passes.columns();
  }

  /** All columns, and further runs behind them. */
  public Denoising with(List<Column> runs) {
    return over(Stream.concat(all().stream(), runs.stream()).toList());
  }

  /** A run of this model. */
  public Column run(int first, int last) {
    return Column.run(model, first, last);
  }

  /**
   * Whether a step makes a column's output anew: of a run, where all columns in it are computed.
   *
   * @param computes by column
   */
  public boolean makes(int column, boolean[] computes) {
    Column own = all().get(column);
    return IntStream.range(0, columns())
        .allMatch(other -> computes[other] || !own.covers(all().get(other)));
  }

  Stepper start() {
    return sampler.start();
  }

  public int steps() {
    return sampler.timesteps().size();
  }

  /** Whether a step begins an update of the sampler. */
  public boolean beginsUpdate(int step) {
    return sampler.beginsUpdate(step);
  }

  /** Passes so far. */
  public long passes() {
    return passes.count();
  }

  /** Labels and noise of a batch; with guidance it has two rows a picture. */
  public Batch draw(int pictures, long seed) {
    return Batch.draw(model.io(), subjects(), pictures, guides(), seed);
  }

  /** How many labels or captions there are; one that stands for all where there are neither. */
  private int subjects() {
    return captions.map(Captions::count).orElse(Math.max(1, model.io().classes()));
  }

  /** What guidance leads away from: the label after the last, or the null caption's index. */
  public OptionalInt nullClass() {
    return switch (model.io().unconditional()) {
      case TEXT, NULL_CLASS -> OptionalInt.of(subjects());
      case NONE, NOTHING -> OptionalInt.empty();
    };
  }

  /** Begins the pass of a walk's step. */
  public Passes.Begun begin(Walk walk) {
    Batch batch = walk.batch();
    return begin(walk.step(), input(walk.x(), batch), batch.classes());
  }

  /** The same at a step, of pictures (n, C, H, W) that may want a gradient. */
  public Passes.Begun begin(int step, Value x, int[] labels) {
    if (!guides()) {
      return beginRows(step, x, labels);
    }
    int n = labels.length; // the model sees them twice, the second time with the null class
    int[] both = Arrays.copyOf(labels, 2 * n);
    Arrays.fill(both, n, 2 * n, nullClass().orElseThrow());
    return beginRows(step, ops.concat(0, List.of(x, x)), both);
  }

  /** A batch's samples (n, C, H, W), whose gradient is wanted. */
  public Value leaf(float[] x, Batch batch) {
    return ops.leaf(firstHalf(x, batch), shape(batch));
  }

  private Value input(float[] x, Batch batch) {
    return ops.input(firstHalf(x, batch), shape(batch));
  }

  private static float[] firstHalf(float[] x, Batch batch) {
    return batch.copies() == 1 ? x : Arrays.copyOf(x, x.length / batch.copies());
  }

  private long[] shape(Batch batch) {
    Denoiser.Interface io = model.io();
    return new long[] {batch.pictures(), io.channels(), io.height(), io.width()};
  }

  private Passes.Begun beginRows(int step, Value x, int[] labels) {
    int rows = labels.length;
    Map<String, Value> inputs = new LinkedHashMap<>();
    inputs.put("timestep", timestep(step, rows));
    if (captions.isPresent()) {
      inputs.putAll(captions.get().inputs(ops, model.io(), labels));
    } else if (model.io().shows() instanceof Shows.Classes) {
      long[] classes = Arrays.stream(labels).asLongStream().toArray();
      inputs.put("class_label", ops.input(classes, rows, 1));
    }
    if (model.io().shows().guided()) {
      float[] told = new float[rows];
      Arrays.fill(told, (float) scale);
      inputs.put("guidance_scale", ops.input(told, rows, 1));
    }
    return passes.begin(x, inputs);
  }

  /** A step's, for each row, as the model takes it: (B, 1). */
  private Value timestep(int step, int rows) {
    if (model.io().timestep() == Element.INT64) {
      long[] whole = new long[rows];
      Arrays.fill(whole, sampler.timesteps().whole(step));
      return ops.input(whole, rows, 1);
    }
    float[] decimals = new float[rows];
    Arrays.fill(decimals, (float) sampler.timesteps().get(step));
    return ops.input(decimals, rows, 1);
  }

  /** The model's prediction: (B, O, H, W). */
  public Value pass(Passes.Begun begun, Substitute route) {
    return passes.prediction(begun, route);
  }

  /**
   * A pass with classifier-free guidance: (B, O, H, W), the guided channels alike in both halves.
   */
  public Value guided(Passes.Begun begun, Substitute route) {
    Value prediction = pass(begun, route);
    if (!guides()) {
      return prediction;
    }
    long n = prediction.shape()[0] / guidance.rows();
    long channels = prediction.shape()[1];
    Value acted = ops.slice(prediction, 1, 0, guidance.channels());
    Value uncond = ops.slice(acted, 0, n, 2 * n);
    Value away = ops.sub(ops.slice(acted, 0, 0, n), uncond);
    Value scale = ops.constant(new float[] {(float) guidance.scale()}, 1);
    Value guided = ops.add(uncond, ops.mul(scale, away)); // (n, guided channels, H, W)
    Value both = ops.concat(0, List.of(guided, guided));
    return guidance.channels() == channels
        ? both
        : ops.concat(1, List.of(both, ops.slice(prediction, 1, guidance.channels(), channels)));
  }

  /**
   * The result of a drawn batch with everything computed, [B, C, H, W], exactly where passes are
   * {@link #in} other numbers. It is remembered: trainings that follow each other measure by the
   * same pictures.
   */
  public float[] uncached(Batch batch) {
    return uncached
        .computeIfAbsent(new Drawn(batch.seed(), batch.pictures()), drawn -> computed(batch))
        .clone();
  }

  private float[] computed(Batch batch) {
    Denoising exact = by(Passes.exact(ops, model, all()));
    try (Walk walk = Walk.start(exact, batch, 0, 0)) {
      exact.finish(walk, step -> Substitute.NONE);
      return walk.x();
    }
  }

  /** Takes the steps of a walk that are left. */
  public void finish(Walk walk, Function<Walk, Substitute> routes) {
    while (!walk.done()) {
      advance(walk, routes);
    }
  }

  /**
   * Takes one step of a walk, of which no gradient is wanted.
   *
   * @return the guided prediction that it was taken by, [B, O, H, W]
   */
  public float[] advance(Walk walk, Function<Walk, Substitute> routes) {
    try (Scope scope = Scope.withoutGradients()) {
      float[] prediction = guided(begin(walk), routes.apply(walk)).floats();
      walk.advance(prediction);
      return prediction;
    }
  }

  /** Steps samples [B, C, H, W] in place by a guided prediction [B, O, H, W]. */
  void step(Stepper stepper, int step, float[] x, float[] prediction, Batch batch) {
    float[] noise = sampler.needsNoise(step) ? batch.noise(step) : null;
    float[] variance = sampler.needsVariance() ? channels(prediction, model.io().channels()) : null;
    stepper.step(step, x, new Prediction(output(prediction), variance), noise);
  }

  /**
   * What a step's prediction does to later samples by the sampler alone: {@code [s][t]} is {@code d
   * x_t / d output_s}, elementwise, t up to the number of steps. Samplers are linear in both.
   */
  public double[][] propagation() {
    int steps = steps();
    double[][] propagation = new double[steps][steps + 1];
    float[] none = new float[1];
    for (int s = 0; s < steps; s++) {
      float[] x = new float[1];
      Stepper stepper = start();
      for (int t = 0; t < steps; t++) {
        float[] output = {t == s ? 1 : 0};
        stepper.step(t, x, new Prediction(output, none), none);
        propagation[s][t + 1] = x[0];
      }
    }
    return propagation;
  }

  /** The first C channels of a prediction, without a learned variance. */
  public float[] output(float[] prediction) {
    return channels(prediction, 0);
  }

  /** C channels of a prediction from one on. */
  private float[] channels(float[] prediction, int first) {
    Denoiser.Interface io = model.io();
    int plane = io.height() * io.width();
    int size = io.channels() * plane;
    int stride = io.outputChannels() * plane;
    float[] some = new float[prediction.length / stride * size];
    for (int row = 0; row * stride < prediction.length; row++) {
      System.arraycopy(prediction, row * stride + first * plane, some, row * size, size);
    }
    return some;
  }

  private boolean guides() {
    return guidance.doublesBatch();
  }
}
