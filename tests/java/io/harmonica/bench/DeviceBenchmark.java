package io.harmonica.bench;

import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Speed of a device as ratios measured side by side: uncached steps against the CPU's own kernels
 * and against PyTorch, routed against uncached trajectories. {@code tests/bench/devices.sh} starts
 * it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class DeviceBenchmark {
  private static final int STEPS = 2; // of a timed trajectory: rounds are many, machines are busy
  private static final String SCRIPT = "tests/bench/pytorch_step.py";

  private DeviceBenchmark() {}

  /** Arguments: checkpoint folder, work folder, python, rounds, device. */
  public static void main(String[] args) throws IOException {
    Path checkpoint = Path.of(args[0]);
    int rounds = Integer.parseInt(args[3]);
    Map<String, Double> theoretical = Benchmark.export(checkpoint, Path.of(args[1]));
    Path repository = Path.of(args[1]).resolve("blocks");
    try (Pipeline cpu = Pipeline.open(repository, Benchmark.NAME);
        Pipeline device =
            Pipeline.builder(Benchmark.NAME).repository(repository).device(args[4]).open()) {
      System.out.printf("%s against %s%n", device.description(), cpu.description());
      try (PyTorch fp32 = PyTorch.start(args[2], SCRIPT, checkpoint, Benchmark.BATCH);
          PyTorch bf16 = PyTorch.start(args[2], SCRIPT, checkpoint, Benchmark.BATCH, "bf16")) {
        steps(cpu, device, List.of(fp32, bf16), rounds);
      }
      Benchmark.routing(device, theoretical, rounds);
    }
  }

  private static void steps(Pipeline cpu, Pipeline device, List<PyTorch> torch, int rounds)
      throws IOException {
    double[] onCpu = new double[rounds];
    double[] onDevice = new double[rounds];
    double[] fp32 = new double[rounds];
    double[] bf16 = new double[rounds];
    double[] loop = new double[rounds];
    Request request = Benchmark.request(cpu).withSteps(STEPS);
    for (int round = -1; round < rounds; round++) {
      int kept = Math.max(round, 0); // the first warms up
      for (int i = 0; i < 4; i++) {
        switch (Math.floorMod(round + i, 4)) {
          case 0 -> onCpu[kept] = nanosOfStep(cpu.generate(request));
          case 1 -> {
            Result made = device.generate(request);
            onDevice[kept] = nanosOfStep(made);
            loop[kept] = (double) (made.elapsedNanos() - made.runtimeNanos()) / made.elapsedNanos();
          }
          case 2 -> fp32[kept] = torch.get(0).nanos();
          default -> bf16[kept] = torch.get(1).nanos();
        }
      }
    }
    Ratios.print("device / ONNX Runtime", Benchmark.ratios(onDevice, onCpu), "bf16 at most 0.35");
    Ratios.print("device / PyTorch fp32", Benchmark.ratios(onDevice, fp32), "none");
    Ratios.print("device / PyTorch bf16", Benchmark.ratios(onDevice, bf16), "bf16 at most 0.75");
    Ratios.print("loop's own time / step", loop, "below 0.01");
    System.out.printf(
        Locale.ROOT,
        "one step: device %.0f ms, ONNX Runtime %.0f ms, PyTorch fp32 %.0f ms, bf16 %.0f ms%n",
        Ratios.median(onDevice) / 1e6,
        Ratios.median(onCpu) / 1e6,
        Ratios.median(fp32) / 1e6,
        Ratios.median(bf16) / 1e6);
  }

  private static double nanosOfStep(Result result) {
    return (double) result.runtimeNanos() / STEPS;
  }
}
