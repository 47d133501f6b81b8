package io.harmonica.bench;

import com.sun.management.OperatingSystemMXBean;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import io.harmonica.router.Grain;
import io.harmonica.router.Grained;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.Taylor;
import io.harmonica.sampler.Spacing;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Engines of a branch, a block and a step, or of blocks in several precisions, against each other
 * in this process, with branches reused one by one and as runs: processor time of a trajectory, and
 * what the realised speedup is of the theoretical one. {@code tests/bench/engines.sh} starts it;
 * docs/BENCHMARKS.md keeps what it printed.
 */
public final class EngineBenchmark {
  private static final Map<String, ExportOptions> SIZES = new LinkedHashMap<>();
  private static final Map<String, ExportOptions> PRECISIONS = new LinkedHashMap<>();

  static {
    SIZES.put("step", ExportOptions.of("step").withEngines(EngineSize.STEP));
    SIZES.put("block", ExportOptions.of("block"));
    SIZES.put("branch", ExportOptions.of("branch").withEngines(EngineSize.BRANCH));
    PRECISIONS.put("fp32", ExportOptions.of("fp32"));
    PRECISIONS.put("int8", ExportOptions.of("int8").withPrecision(Precision.INT8));
    PRECISIONS.put(
        "int8-cache",
        ExportOptions.of("int8-cache").withPrecision(Precision.INT8).withCacheInt8(true));
  }

  private static final OperatingSystemMXBean MACHINE =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private EngineBenchmark() {}

  /** Arguments: checkpoint folder, work folder, rounds, {@code engines} or {@code precisions}. */
  public static void main(String[] args) throws Exception {
    Path repository = Path.of(args[1]).resolve("engines");
    int rounds = Integer.parseInt(args[2]);
    boolean engines = args[3].equals("engines");
    Map<String, ExportOptions> exports = engines ? SIZES : PRECISIONS;
    String first = exports.keySet().iterator().next();
    int steps = engines ? 4 : 5; // of which two are reused: CUR 0.5 and 0.4
    Map<String, Double> theoretical = new LinkedHashMap<>();
    Map<String, Pipeline> pipelines = new LinkedHashMap<>();
    try (Checkpoint source = Checkpoint.open(Path.of(args[0]))) {
      Model model = Model.of(source, OptionalInt.empty());
      List<Router> routers = new ArrayList<>();
      for (Grain grain : List.of(Grain.BRANCH, Grain.MODEL)) {
        Policy policy = Grained.of(new Taylor(2, 1), grain);
        Router router =
            policy.router(
                grain.toString(),
                model.denoiser().architecture(),
                "ddim",
                Timesteps.of(Spacing.LEADING.timesteps(steps, 1000)),
                model.denoiser().branchNames());
        routers.add(router);
        theoretical.put(
            router.name(),
            Savings.of(router, model.flops(), model.denoiser().branchElements())
                .theoreticalSpeedup()
                .orElseThrow());
      }
      for (Map.Entry<String, ExportOptions> export : exports.entrySet()) {
        new Exporter(model, routers, export.getValue().withForce(true)).export(repository);
      }
    }
    List<String> kinds = new ArrayList<>(List.of("none"));
    kinds.addAll(theoretical.keySet());
    try {
      Map<String, double[]> millis = new LinkedHashMap<>();
      for (String size : exports.keySet()) {
        long before = resident();
        pipelines.put(size, Pipeline.open(repository, size));
        kinds.forEach(router -> pipelines.get(size).generate(request(router, steps)));
        System.out.printf(
            Locale.ROOT, "%s: %.0f MB more resident%n", size, (resident() - before) / 1e6);
        kinds.forEach(router -> millis.put(size + " " + router, new double[rounds]));
      }
      List<String> variants = List.copyOf(millis.keySet());
      for (int round = 0; round < rounds; round++) {
        for (int turn = 0; turn < variants.size(); turn++) {
          String variant = variants.get((round + turn) % variants.size());
          String[] words = variant.split(" ");
          long before = MACHINE.getProcessCpuTime(); // other processes count less than in wall time
          pipelines.get(words[0]).generate(request(words[1], steps));
          millis.get(variant)[round] = (MACHINE.getProcessCpuTime() - before) / 1e6;
        }
      }
      report(millis, theoretical, first);
    } finally {
      pipelines.values().forEach(Pipeline::close);
    }
  }

  private static Request request(String router, int steps) {
    return Request.of(List.of(3)).withRouter(router).withSteps(steps);
  }

  private static void report(
      Map<String, double[]> millis, Map<String, Double> theoretical, String first) {
    millis.forEach(
        (variant, own) -> {
          String[] words = variant.split(" ");
          String line =
              String.format(
                  Locale.ROOT,
                  "%-14s median %6.0f ms  best %6.0f ms",
                  variant,
                  quantile(own, 0.5),
                  quantile(own, 0));
          line += ratio("  of " + first + "'s", own, millis.get(first + " " + words[1]));
          if (theoretical.containsKey(words[1])) {
            double wanted = theoretical.get(words[1]);
            double[] uncached = millis.get(words[0] + " none").clone();
            Arrays.setAll(uncached, i -> uncached[i] / wanted);
            line += ratio("  realised / theoretical", uncached, own);
          }
          System.out.println(line);
        });
  }

  private static String ratio(String what, double[] over, double[] under) {
    double[] ratios = over.clone();
    Arrays.setAll(ratios, i -> over[i] / under[i]);
    return String.format(
        Locale.ROOT,
        "%s %.3f (%.3f..%.3f)",
        what,
        quantile(ratios, 0.5),
        quantile(ratios, 0.25),
        quantile(ratios, 0.75));
  }

  private static double quantile(double[] values, double share) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[(int) Math.min(sorted.length - 1, share * sorted.length)];
  }

  private static long resident() throws IOException {
    System.gc();
    String line =
        Files.readAllLines(Path.of("/proc/self/status")).stream()
            .filter(text -> text.startsWith("VmRSS:"))
            .findFirst()
            .orElseThrow();
    return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
  }
}
