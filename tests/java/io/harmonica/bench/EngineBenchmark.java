package io.harmonica.bench;

import com.sun.management.OperatingSystemMXBean;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Result;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.router.Grain;
import io.harmonica.router.Grained;
import io.harmonica.router.Policy;
import io.harmonica.router.RandomReuse;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.Taylor;
import io.harmonica.sampler.Sampling;
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
import java.util.Optional;

/**
 * Engines of a branch, a block and a step, or of blocks in several precisions, against each other
 * in this process, with branches reused one by one and as runs: processor time of a trajectory, and
 * what the realised speedup is of the theoretical one. {@code tests/bench/engines.sh} starts it;
 * docs/BENCHMARKS.md keeps what it printed.
 */
public final class EngineBenchmark {
  private static final double CUR = 0.4;
  private static final Map<String, ExportOptions> EXPORTS = new LinkedHashMap<>();

  static {
    EXPORTS.put("step", ExportOptions.of("step").withEngines(EngineSize.STEP));
    EXPORTS.put("block", ExportOptions.of("block"));
    EXPORTS.put("branch", ExportOptions.of("branch").withEngines(EngineSize.BRANCH));
    EXPORTS.put("int8", ExportOptions.of("int8").withPrecision(Precision.INT8));
    EXPORTS.put(
        "int8-cache",
        ExportOptions.of("int8-cache").withPrecision(Precision.INT8).withCacheInt8(true));
  }

  private static final OperatingSystemMXBean MACHINE =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

  private EngineBenchmark() {}

  /**
   * Arguments: checkpoint folder, work folder, rounds, steps, pictures of a trajectory; exports and
   * routers, by commas; size in pixels and text tokens, of a model that leaves these free.
   */
  public static void main(String[] args) throws Exception {
    Path repository = Path.of(args[1]).resolve("engines");
    int rounds = Integer.parseInt(args[2]);
    int steps = Integer.parseInt(args[3]);
    int pictures = Integer.parseInt(args[4]);
    EXPORTS.keySet().retainAll(List.of(args[5].split(",")));
    String first = EXPORTS.keySet().iterator().next();
    Map<String, Savings> savings = new LinkedHashMap<>();
    Map<String, Pipeline> pipelines = new LinkedHashMap<>();
    try (Checkpoint source = Checkpoint.open(Path.of(args[0]))) {
      Choices choices =
          args.length < 8
              ? Choices.NONE
              : Choices.NONE
                  .withResolution(Resolution.parse(args[7]))
                  .withTextTokens(Integer.parseInt(args[8]));
      Model model = Model.of(source, choices);
      Sampling sampling = model.denoiser().io().sampling();
      CacheBytes bytes = CacheBytes.of(model.denoiser());
      List<Router> routers = new ArrayList<>();
      for (String name : args[6].split(",")) {
        Policy policy =
            name.equals("random")
                ? new RandomReuse(CUR, 0)
                : Grained.of(new Taylor(2, 1), Grain.valueOf(name.toUpperCase(Locale.ROOT)));
        Router router =
            policy.router(
                name,
                model.denoiser().architecture(),
                sampling.sampler(),
                sampling.sampler(sampling.sampler(), steps, Optional.empty()).timesteps(),
                model.denoiser().branchNames());
        routers.add(router);
        savings.put(name, Savings.of(router, model.flops(), bytes));
      }
      for (ExportOptions options : EXPORTS.values()) {
        new Exporter(model, routers, options.withForce(true)).export(repository);
      }
    }
    List<String> kinds = new ArrayList<>(List.of("none"));
    kinds.addAll(savings.keySet());
    try {
      Map<String, double[]> millis = new LinkedHashMap<>();
      for (String size : EXPORTS.keySet()) {
        long before = resident();
        pipelines.put(size, Pipeline.open(repository, size));
        for (String router : kinds) {
          long peak = generate(pipelines.get(size), router, steps, pictures).peakCacheBytes();
          if (savings.containsKey(router)) {
            System.out.printf(
                Locale.ROOT,
                "%s %s: peak cache %.1f MB, %.3f of inspect's%n",
                size,
                router,
                peak / 1e6,
                (double) peak
                    / pictures
                    / savings.get(router).peakCacheBytesPerSample().orElseThrow());
          }
        }
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
          generate(pipelines.get(words[0]), words[1], steps, pictures);
          millis.get(variant)[round] = (MACHINE.getProcessCpuTime() - before) / 1e6;
        }
      }
      report(millis, savings, first);
    } finally {
      pipelines.values().forEach(Pipeline::close);
    }
  }

  private static Result generate(Pipeline pipeline, String router, int steps, int pictures) {
    return pipeline.generate(
        Benchmark.request(pipeline, pictures).withRouter(router).withSteps(steps));
  }

  private static void report(
      Map<String, double[]> millis, Map<String, Savings> savings, String first) {
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
          if (savings.containsKey(words[1])) {
            double wanted = savings.get(words[1]).theoreticalSpeedup().orElseThrow();
            double[] uncached = millis.get(words[0] + " none").clone();
            Arrays.setAll(uncached, i -> uncached[i] / wanted);
            line += ratio("  realised / theoretical %.3f".formatted(wanted), uncached, own);
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
