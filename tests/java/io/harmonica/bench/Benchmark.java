package io.harmonica.bench;

import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.compare.Comparison;
import io.harmonica.compare.Load;
import io.harmonica.compare.Rounds;
import io.harmonica.compare.Setting;
import io.harmonica.compare.Subjects;
import io.harmonica.compare.WarmUp;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import io.harmonica.origin.Model;
import io.harmonica.router.RandomReuse;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.sampler.Sampling;
import io.harmonica.triton.ServerOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Speed of the embedded runtime as ratios measured side by side: block engines against one graph,
 * routed against uncached trajectories, one graph against PyTorch. {@code tests/bench/run.sh}
 * starts it; docs/BENCHMARKS.md keeps what it printed.
 */
public final class Benchmark {
  static final String NAME = "bench";
  static final int BATCH = 4;
  static final int STEPS = 10;
  private static final double CUR = 0.4;

  private Benchmark() {}

  /** Arguments: checkpoint folder, work folder, python, rounds. */
  public static void main(String[] args) throws IOException {
    Path checkpoint = Path.of(args[0]);
    Path work = Path.of(args[1]);
    int rounds = Integer.parseInt(args[3]);
    Map<String, Double> theoretical = export(checkpoint, work);
    try (PyTorch torch = PyTorch.start(args[2], "tests/bench/pytorch_step.py", checkpoint, BATCH)) {
      System.out.printf(
          "%s, %d threads, batch %d, %d rounds; PyTorch %s%n",
          checkpoint.getFileName(),
          Runtime.getRuntime().availableProcessors(),
          BATCH,
          rounds,
          torch.version());
      engines(work, torch, rounds);
    }
    try (Pipeline blocks = Pipeline.open(work.resolve("blocks"), NAME)) {
      routing(blocks, theoretical, rounds);
      if (blocks.manifest().text() != null) {
        return; // compare takes prompts, and there is no text encoder
      }
    }
    overhead(work.resolve("blocks"), rounds);
  }

  /** What {@code harmonica compare} costs on top of what it measures. */
  private static void overhead(Path repository, int rounds) {
    Map<String, String> common =
        Map.of("model-repository", repository.toString(), "model", NAME, "guidance", "1");
    List<Setting> settings =
        List.of(
            Setting.of(Map.of("steps", Integer.toString(STEPS)), common, "uncached"),
            Setting.of(Map.of("router", "plain"), common, "routed"));
    try (Comparison comparison = Comparison.open(settings, ServerOptions.DEFAULTS)) {
      Comparison.Plan plan =
          new Comparison.Plan(
              new Rounds(rounds, WarmUp.fixed(1), Load.ONE_BY_ONE, 0),
              new Subjects(IntStream.range(0, BATCH).boxed().toList(), BATCH, 0),
              BATCH);
      double overhead = comparison.run(plan, Rounds.SILENT, () -> false).overhead();
      System.out.printf(
          Locale.ROOT, "compare's own time / measured time: %.5f  (target below 0.01)%n", overhead);
    }
  }

  /** Exports what is measured; the theoretical speedup of each router. */
  static Map<String, Double> export(Path checkpoint, Path work) {
    Map<String, Double> theoretical = new LinkedHashMap<>();
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      Model model = Model.of(source, OptionalInt.empty());
      Denoiser.Interface io = model.denoiser().io();
      Sampling sampling = io.sampling();
      Timesteps timesteps =
          sampling.sampler(io.origin().sampler(), STEPS, Optional.empty()).timesteps();
      List<String> branches = model.denoiser().branchNames();
      List<Router> routers = new ArrayList<>();
      for (Reuse reuse : List.of(Reuse.LAST, Reuse.LINEAR)) {
        String name = reuse == Reuse.LAST ? "plain" : "linear";
        Router random =
            new RandomReuse(CUR, 0)
                .router(
                    name,
                    model.denoiser().architecture(),
                    io.origin().sampler(),
                    timesteps,
                    branches);
        routers.add(
            new Router(
                name,
                random.model(),
                random.sampler(),
                random.steps(),
                timesteps,
                random.threshold(),
                branches,
                random.scores(),
                reuse,
                random.training()));
        theoretical.put(name, Savings.speedup(random.computes(), model.flops()));
      }
      ExportOptions options = ExportOptions.of(NAME).withForce(true);
      new Exporter(model, routers, options).export(work.resolve("blocks"));
      new Exporter(model, List.of(), options.withBlocksPerEngine(0)).export(work.resolve("graph"));
    }
    return theoretical;
  }

  /** Uncached trajectories without guidance: block engines, one graph, PyTorch in turn. */
  private static void engines(Path work, PyTorch torch, int rounds) throws IOException {
    List<Turns> all = new ArrayList<>();
    // Whoever is opened first is a percent or two slower, wherever that comes from: each is, once.
    for (List<String> order : List.of(List.of("blocks", "graph"), List.of("graph", "blocks"))) {
      try (Pipeline first = Pipeline.open(work.resolve(order.get(0)), NAME);
          Pipeline second = Pipeline.open(work.resolve(order.get(1)), NAME)) {
        Map<String, Pipeline> opened = Map.of(order.get(0), first, order.get(1), second);
        Turns turns = turns(opened.get("blocks"), opened.get("graph"), torch, rounds / 2);
        System.out.printf(
            Locale.ROOT,
            "  %s opened first: %.4f%n",
            order.get(0),
            Ratios.median(ratios(turns.blocks(), turns.graph())));
        all.add(turns);
      }
    }
    double[] blocks = joined(all, Turns::blocks);
    Ratios.print(
        "block engines / one graph",
        ratios(blocks, joined(all, Turns::graph)),
        all.get(0).text() ? "at most 1.03" : "at most 1.01");
    Ratios.print(
        "block engines / PyTorch", ratios(blocks, joined(all, Turns::torch)), "at most 0.97");
    Ratios.print("loop's own time / step", joined(all, Turns::loop), "below 0.01");
    System.out.printf("one step: %.0f ms%n", Ratios.median(blocks) / 1e6);
  }

  /**
   * Times by round.
   *
   * @param blocks nanoseconds a step, as are {@code graph} and {@code torch}
   * @param loop share of the loop's own time
   * @param text whether the model takes texts
   */
  private record Turns(
      double[] blocks, double[] graph, double[] torch, double[] loop, boolean text) {}

  private static double[] joined(List<Turns> all, Function<Turns, double[]> part) {
    return all.stream().map(part).flatMapToDouble(Arrays::stream).toArray();
  }

  private static Turns turns(Pipeline blocks, Pipeline graph, PyTorch torch, int rounds)
      throws IOException {
    Request request = request(blocks).withSteps(STEPS);
    boolean text = blocks.manifest().text() != null;
    Turns turns =
        new Turns(
            new double[rounds], new double[rounds], new double[rounds], new double[rounds], text);
    for (int round = -1; round < rounds; round++) {
      // The order turns, so that no one always runs in another's wake.
      Result b = null;
      Result g = null;
      long t = 0;
      for (int i = 0; i < 3; i++) {
        switch (Math.floorMod(round + i, 3)) {
          case 0 -> b = blocks.generate(request);
          case 1 -> g = graph.generate(request);
          default -> t = torch.nanos();
        }
      }
      if (round >= 0) {
        turns.blocks()[round] = (double) b.runtimeNanos() / STEPS;
        turns.graph()[round] = (double) g.runtimeNanos() / STEPS;
        turns.torch()[round] = t;
        turns.loop()[round] = (double) (b.elapsedNanos() - b.runtimeNanos()) / b.elapsedNanos();
      }
    }
    return turns;
  }

  /** Whole trajectories, routed against uncached. */
  static void routing(Pipeline blocks, Map<String, Double> theoretical, int rounds) {
    Map<String, double[]> times = new LinkedHashMap<>();
    Request request = request(blocks).withSteps(STEPS);
    List<String> routers = new ArrayList<>(List.of(Request.NO_ROUTER));
    routers.addAll(theoretical.keySet());
    routers.forEach(name -> times.put(name, new double[rounds]));
    for (int round = -1; round < rounds; round++) {
      for (int i = 0; i < routers.size(); i++) {
        String name = routers.get(Math.floorMod(round + i, routers.size()));
        Result result = blocks.generate(request.withRouter(name));
        if (round >= 0) {
          times.get(name)[round] = result.elapsedNanos();
        }
      }
    }
    theoretical.forEach(
        (name, speedup) -> {
          double[] realised = ratios(times.get(Request.NO_ROUTER), times.get(name));
          for (int i = 0; i < realised.length; i++) {
            realised[i] /= speedup;
          }
          Ratios.print(
              String.format(Locale.ROOT, "realised / theoretical %.3f, %s", speedup, name),
              realised,
              blocks.manifest().text() != null ? "at least 0.95" : "at least 0.97");
        });
  }

  static Request request(Pipeline pipeline) {
    return request(pipeline, BATCH);
  }

  /** Labels, or random texts of all the tokens that the model takes. */
  static Request request(Pipeline pipeline, int pictures) {
    Shows shows = pipeline.manifest().shows();
    int classes = Math.max(1, pipeline.manifest().classes());
    Request request =
        shows instanceof Shows.Text takes
            ? Request.of(new Content.Texts(texts(takes, pictures), Optional.empty()))
            : Request.of(IntStream.range(0, pictures).map(i -> i % classes).boxed().toList());
    return request.withGuidance(1);
  }

  private static Embeddings texts(Shows.Text takes, int pictures) {
    float[] values = new float[pictures * takes.tokens() * takes.width()];
    float[] pooled = new float[pictures * takes.pooled()];
    Random random = new Random(0);
    for (float[] some : List.of(values, pooled)) {
      for (int i = 0; i < some.length; i++) {
        some[i] = (float) random.nextGaussian();
      }
    }
    long[] mask = new long[pictures * takes.tokens()];
    Arrays.fill(mask, 1);
    return new Embeddings(values, mask, pictures, takes.tokens(), takes.width(), pooled);
  }

  static double[] ratios(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] / b[i]).toArray();
  }
}
