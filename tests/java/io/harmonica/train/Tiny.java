package io.harmonica.train;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.export.Exports;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Model;
import io.harmonica.router.Grain;
import io.harmonica.router.Reuse;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Noising;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.TorchOps;
import io.harmonica.train.TrainOptions.Control;
import io.harmonica.train.TrainOptions.Lambda;
import io.harmonica.train.TrainOptions.Objective;
import io.harmonica.train.TrainOptions.Reuses;
import io.harmonica.train.TrainOptions.Reusing;
import io.harmonica.train.trajectory.Denoising;
import java.util.Optional;

/**
 * The golden DiT of three blocks, ready to be trained on few steps; where any time is wanted, a
 * golden U-ViT.
 */
public final class Tiny implements AutoCloseable {
  public final Task task;
  public final Model model;
  final TorchOps ops;
  final Columns columns;
  private final Checkpoint checkpoint;
  private final Denoising denoising; // by branches

  public Tiny(int steps) {
    this(steps, "ddim");
  }

  public Tiny(int steps, String samplerName) {
    this(steps, samplerName, Diffusion.DDPM);
  }

  public Tiny(int steps, String samplerName, Noising noising) {
    this(steps, samplerName, noising, Grain.BRANCH);
  }

  public Tiny(int steps, String samplerName, Noising noising, Grain grain) {
    boolean anyTime = noising instanceof AnyTime;
    checkpoint = Checkpoint.open(anyTime ? Checkpoints.UVIT : Checkpoints.DIT);
    UVitSchedule schedule =
        noising.equals(AnyTime.CONTINUOUS) ? UVitSchedule.CONTINUOUS : UVitSchedule.DISCRETE;
    model = anyTime ? Exports.uVit(checkpoint, schedule) : Exports.model(checkpoint);
    Spacing spacing = Sampler.spacing(samplerName, Spacing.LEADING);
    Sampler sampler = noising.sampler(samplerName, steps, spacing);
    Sampling sampling = Sampling.of(noising, samplerName, spacing, true);
    task =
        new Task(
            "tiny",
            model.denoiser(),
            Digest.of(checkpoint),
            model.flops(),
            new Task.Sampled(samplerName, sampler, sampling, spacing),
            Optional.empty());
    ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
    columns = Columns.of(grain, model.denoiser());
    denoising = new Denoising(ops, task.model(), task.sampler(), 1.5, 4);
  }

  /** All of them remember the uncached pictures that one of them drew. */
  public Denoising denoising() {
    return denoising.over(columns.all());
  }

  SoftRouting routing(Reusing reuse) {
    return new SoftRouting(ops, reuse.forecast(), 0.1);
  }

  SoftRouting routing(Reuse.Forecast forecast) {
    return new SoftRouting(ops, forecast, 0.1);
  }

  /** Logits drawn so that about half of the entries are reused. */
  Table table(int weights) {
    var random = new java.util.SplittableRandom(5);
    float[][] logits = new float[task.steps()][columns.count()];
    for (float[] row : logits) {
      for (int b = 0; b < row.length; b++) {
        row[b] = (float) random.nextGaussian(-2.2, 2);
      }
    }
    return Table.of(logits, weights);
  }

  /** Options of a short run, to be varied. */
  record Settings(
      int steps,
      Objective objective,
      Reuses reuse,
      Lambda lambda,
      Control control,
      Start start,
      int iterations,
      int exchange) {

    static final Settings SHORT =
        new Settings(
            6,
            Objective.SDT,
            Reuses.of(Reusing.LAST),
            Lambda.PAPER,
            Control.cur(0.4),
            Start.RANDOM,
            4,
            0);

    Settings reuse(Reusing other) {
      return reuse(Reuses.of(other));
    }

    Settings reuse(Reuses other) {
      return new Settings(steps, objective, other, lambda, control, start, iterations, exchange);
    }

    Settings objective(Objective other) {
      return new Settings(steps, other, reuse, Lambda.NONE, control, start, iterations, exchange);
    }

    Settings lambda(Lambda other) {
      return new Settings(steps, objective, reuse, other, control, start, iterations, exchange);
    }

    Settings control(Control other) {
      return new Settings(steps, objective, reuse, lambda, other, start, iterations, exchange);
    }

    Settings start(String other) {
      return start(Start.of(other));
    }

    Settings start(Start other) {
      return new Settings(steps, objective, reuse, lambda, control, other, iterations, exchange);
    }

    Settings iterations(int other) {
      return new Settings(steps, objective, reuse, lambda, control, start, other, exchange);
    }

    Settings exchange(int other) {
      return new Settings(steps, objective, reuse, lambda, control, start, iterations, other);
    }

    TrainOptions options() {
      return options(2);
    }

    TrainOptions options(int batch) {
      return options(batch, "ddim");
    }

    TrainOptions options(int batch, String sampler) {
      String spacing = Sampler.spacing(sampler, Spacing.LEADING).toString();
      return new TrainOptions(
          new TrainOptions.Trajectory(sampler, steps, spacing, 1.5, 4),
          objective,
          reuse,
          new TrainOptions.ErrorWeights(lambda, 3),
          control,
          start,
          new TrainOptions.Effort(iterations, batch, 7, 0.05, exchange),
          0.1);
    }
  }

  @Override
  public void close() {
    ops.close();
    checkpoint.close();
  }

  /** What that table computes with a threshold, {@code [steps][branches]}. */
  public boolean[][] computes(double threshold) {
    return table(0).computes(threshold);
  }
}
