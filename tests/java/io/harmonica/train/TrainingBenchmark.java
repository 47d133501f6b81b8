package io.harmonica.train;

import io.harmonica.bench.PyTorch;
import io.harmonica.bench.Ratios;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.train.TrainOptions.Lambda;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * Speed of training as ratios measured side by side. {@code tests/bench/train.sh} starts it;
 * docs/BENCHMARKS.md keeps what it printed.
 */
public final class TrainingBenchmark {
  private static final int BATCH = 4;
  private static final int STEPS = 20;
  private static final int UPDATES = 1000;

  private final Denoising denoising;
  private final SoftRouting routing;

  private TrainingBenchmark(TorchOps ops, Model model) {
    Sampler sampler = Sampler.of("ddim", STEPS, Spacing.LEADING, Diffusion.DDPM);
    denoising = new Denoising(ops, model.denoiser(), sampler, 1.5, 3);
    routing = new SoftRouting(ops, new Reuse.Forecast(0), 0.1);
  }

  /** Arguments: checkpoint folder, python, rounds. */
  public static void main(String[] args) throws IOException {
    Path path = Path.of(args[0]);
    int rounds = Integer.parseInt(args[2]);
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      Model model = Model.of(checkpoint, OptionalInt.empty());
      try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
          PyTorch torch = PyTorch.start(args[1], "tests/bench/pytorch_train.py", path, BATCH)) {
        System.out.printf(
            "%s, %d threads, batch %d, %d steps, %d rounds; PyTorch %s%n",
            path.getFileName(),
            Runtime.getRuntime().availableProcessors(),
            BATCH,
            STEPS,
            rounds,
            torch.version());
        TrainingBenchmark benchmark = new TrainingBenchmark(ops, model);
        double seconds = benchmark.iterations(torch, rounds);
        benchmark.passes(rounds);
        benchmark.updates(seconds);
        benchmark.refreshes(Math.max(1, rounds / 5));
      }
    }
  }

  /** One training iteration against PyTorch's; returns its seconds. */
  private double iterations(PyTorch torch, int rounds) throws IOException {
    Table table = table();
    double[] own = new double[rounds];
    double[] ratios = new double[rounds];
    iterate(table);
    long resident = Memory.peakBytes().orElse(0);
    for (int i = 0; i < rounds; i++) {
      boolean first = i % 2 == 0; // turns, so that neither always runs in the other's wake
      double before = first ? torch.nanos() / 1e9 : 0;
      own[i] = iterate(table);
      ratios[i] = own[i] / (first ? before : torch.nanos() / 1e9);
    }
    Ratios.print("training iteration / PyTorch", ratios, "at most 1.1");
    double other = Long.parseLong(torch.answer("memory").trim());
    System.out.printf(
        Locale.ROOT,
        "peak memory: %.2f GiB after the first iteration, %.2f GiB after %d; PyTorch %.2f GiB%n",
        resident / 0x1p30,
        Memory.peakBytes().orElse(0) / 0x1p30,
        rounds + 1,
        other / 0x1p30);
    return Ratios.median(own);
  }

  private double iterate(Table table) {
    Batch batch = denoising.draw(BATCH, 1);
    Updates updates = new Updates(table, ones(), 1e-3, 0.01);
    return seconds(() -> new Sdt(denoising, routing, false).iterate(table, batch, updates));
  }

  /** A training step against a plain pass. */
  private void passes(int rounds) {
    Table table = table();
    Batch batch = denoising.draw(BATCH, 1);
    double[] ratios = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      double uncached = seconds(() -> denoising.uncached(batch));
      ratios[i] = iterate(table) / uncached;
    }
    Ratios.print("training step / pass", ratios, "about 3");
  }

  /** Router parameters and their update: the row's leaf, its scores, AdamW. */
  private void updates(double iteration) {
    Table table = table();
    Updates updates = new Updates(table, ones(), 1e-3, 0.01);
    float[] gradient = new float[table.columns()];
    Arrays.fill(gradient, 1e-3f);
    TorchOps ops = denoising.ops();
    double seconds =
        seconds(
            () -> {
              for (int i = 0; i < UPDATES; i++) {
                int step = 1 + i % (STEPS - 1);
                try (Scope scope = Scope.open()) {
                  ops.sigmoid(ops.leaf(table.logits()[step], table.columns()));
                }
                updates.step(new Updates.Gradient(step, 1e-3, gradient, null, null));
              }
            });
    double share = seconds / UPDATES * (STEPS - 1) / iteration;
    Ratios.print("router parameters and update / iteration", new double[] {share}, "below 0.001");
  }

  /** A refresh of lambda against T + 1 whole trajectories. */
  private void refreshes(int rounds) {
    Table table = table();
    Batch batch = denoising.draw(BATCH, 1);
    double[] ratios = new double[rounds];
    for (int i = 0; i < rounds; i++) {
      Iepo iepo = new Iepo(denoising, routing);
      double forked = seconds(() -> iepo.lambda(Lambda.PAPER, table, batch));
      double naive =
          seconds(
              () -> {
                for (int s = 0; s <= STEPS; s++) {
                  trajectory(table, batch, s);
                }
              });
      ratios[i] = forked / naive;
    }
    Ratios.print("IEPO refresh / its naive cost", ratios, "at most 0.55");
  }

  private void trajectory(Table table, Batch batch, int disabled) {
    try (Walk walk = Walk.start(denoising, batch, 1, 0)) {
      denoising.finish(
          walk, at -> at.step() == disabled ? Substitute.disabled(at) : routing.soft(at, table));
    }
  }

  private Table table() {
    return Table.of(new float[STEPS][denoising.columns()], 0);
  }

  private static float[] ones() {
    float[] ones = new float[STEPS];
    Arrays.fill(ones, 1);
    return ones;
  }

  private static double seconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e9;
  }
}
