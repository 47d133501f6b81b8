package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.difference;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.GatedSum;
import io.harmonica.Timesteps;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.model.CacheBytes;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.DeltaDit;
import io.harmonica.router.Fora;
import io.harmonica.router.Grain;
import io.harmonica.router.Grained;
import io.harmonica.router.Policy;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.router.Savings;
import io.harmonica.router.Taylor;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Runs inside the engines against the papers' formulas, written out here. */
class RunTest {
  private static final int STEPS = 9;
  private static final List<Integer> TIMESTEPS = Spacing.LEADING.timesteps(STEPS, 1000);
  private static final int BRANCHES = 6; // three blocks

  private final ReferenceDit reference = new ReferenceDit(Checkpoints.DIT);

  @TempDir Path folder;

  static List<EngineSize> sizes() {
    return TrajectoryTest.sizes();
  }

  /** A step's tokens after a branch, from those before it. */
  private interface Rule {
    ReferenceDit.Tokens at(int step);
  }

  private static Router router(Policy policy, Model model) {
    return policy.router(
        policy.policy(),
        model.denoiser().architecture(),
        "ddim",
        Timesteps.of(TIMESTEPS),
        model.denoiser().branchNames());
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void deltaDit_isItsFormula(EngineSize engines) {
    assertSimulated(engines, new DeltaDit(3, null, 5), new DeltaCache(3, 1, 5));
    assertSimulated(engines, new DeltaDit(2, 0.25, null), new DeltaCache(2, 2, 5)); // 4.5 steps
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void runsOverAllBlocks_areTheChangeOfTheTokens_asItWasOrForecast(EngineSize engines) {
    Policy fora = Grained.of(new Fora(3), Grain.MODEL);
    assertSimulated(engines, fora, new Expansion(3, 0, BRANCHES));
    assertSimulated(engines, Grained.of(new Taylor(2, 1), Grain.MODEL), new Expansion(2, 1, 6));
    assertSimulated(engines, Grained.of(new Taylor(2, 2), Grain.MODEL), new Expansion(2, 2, 6));
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void runsOfABlock_areWhatThatChanges(EngineSize engines) {
    assertSimulated(engines, Grained.of(new Taylor(2, 2), Grain.RUN), new Expansion(2, 2, 2));
  }

  private void assertSimulated(EngineSize engines, Policy policy, Rule rule) {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      ExportOptions options =
          ExportOptions.of("dit").withEngines(engines).withForce(true).withStepsPerRequest(4);
      new Exporter(model, List.of(router(policy, model)), options).export(repository);
    }
    float[] expected = simulate(rule);
    float[] uncached = simulate(step -> (branch, before, computed) -> computed.get());
    double tolerance = trajectoryTolerance(expected);
    assertThat(difference(expected, uncached)).isGreaterThan(20 * tolerance);
    for (int stepsPerRequest : List.of(1, 4)) {
      try (Pipeline pipeline =
          Pipeline.builder("dit").repository(repository).stepsPerRequest(stepsPerRequest).open()) {
        Result drawn =
            pipeline.generate(
                Request.of(List.of(3))
                    .withRouter(policy.policy())
                    .withGuidance(1)
                    .withLatents(new Latents(TrajectoryTest.noise(1), 1, 4, 8, 8)));
        String what = policy + ", steps a request: " + stepsPerRequest;
        assertClose(what, drawn.latents().values(), expected, tolerance);
      }
    }
  }

  private float[] simulate(Rule rule) {
    float[] x = TrajectoryTest.noise(1);
    for (int s = 0; s < STEPS; s++) {
      float[] epsilon =
          reference.predict(
              x, TIMESTEPS.get(s), 3, (branch, computed) -> computed.get(), rule.at(s));
      TrajectoryTest.ddim(x, epsilon, TIMESTEPS.get(s), s + 1 < STEPS ? TIMESTEPS.get(s + 1) : -1);
    }
    return x;
  }

  /**
   * Delta-DiT (arXiv 2406.01125): with F the skipped blocks, {@code delta = F(x) - x} at the last
   * full step, and {@code x + delta} instead of {@code F(x)} until the next; the back blocks where
   * that step is before the boundary, else the front blocks.
   */
  private static final class DeltaCache implements Rule {
    private final int interval;
    private final int skippedBranches;
    private final int boundary;
    private float[] front; // x before the blocks, then their delta
    private float[] back;

    DeltaCache(int interval, int skippedBlocks, int boundary) {
      this.interval = interval;
      this.skippedBranches = 2 * skippedBlocks;
      this.boundary = boundary;
    }

    @Override
    public ReferenceDit.Tokens at(int step) {
      boolean full = step % interval == 0;
      int backFrom = BRANCHES - skippedBranches;
      return (branch, before, computed) -> {
        if (full) {
          front = branch == 0 ? before : front;
          back = branch == backFrom ? before : back;
          float[] after = computed.get();
          front = branch == skippedBranches - 1 ? minus(after, front) : front;
          back = branch == BRANCHES - 1 ? minus(after, back) : back;
          return after;
        }
        if (step - step % interval < boundary) {
          return branch < backFrom
              ? computed.get()
              : branch == backFrom ? plus(before, back) : before;
        }
        return branch >= skippedBranches
            ? computed.get()
            : branch == 0 ? plus(before, front) : before;
      };
    }
  }

  /** Taylor's expansion of what so many branches change together, at FORA's steps. */
  private static final class Expansion implements Rule {
    private final int interval;
    private final int order;
    private final int length;
    private final Map<Integer, float[]> before = new HashMap<>(); // tokens, by first branch
    private final Map<Integer, List<float[]>> deltas = new HashMap<>(); // newest first

    Expansion(int interval, int order, int length) {
      this.interval = interval;
      this.order = order;
      this.length = length;
    }

    @Override
    public ReferenceDit.Tokens at(int step) {
      int ahead = step % interval;
      return (branch, tokens, computed) -> {
        int first = branch - branch % length;
        if (ahead > 0) {
          return branch == first ? plus(tokens, forecast(deltas.get(first), ahead)) : tokens;
        }
        if (branch == first) {
          before.put(first, tokens);
        }
        float[] after = computed.get();
        if (branch == first + length - 1) {
          deltas
              .computeIfAbsent(first, f -> new ArrayList<>())
              .add(0, minus(after, before.get(first)));
        }
        return after;
      };
    }

    private float[] forecast(List<float[]> history, int ahead) {
      float[] forecast = history.get(0).clone();
      for (int i = 0; i < forecast.length; i++) {
        double value = forecast[i];
        if (order > 0 && history.size() > 1) {
          double slope = slope(history, 0, i);
          value += ahead * slope;
          if (order > 1 && history.size() > 2) {
            value += ahead * ahead / 2.0 * (slope - slope(history, 1, i)) / interval;
          }
        }
        forecast[i] = (float) value;
      }
      return forecast;
    }

    private double slope(List<float[]> history, int age, int i) {
      return ((double) history.get(age)[i] - history.get(age + 1)[i]) / interval;
    }
  }

  private static float[] minus(float[] a, float[] b) {
    float[] difference = a.clone();
    for (int i = 0; i < a.length; i++) {
      difference[i] -= b[i];
    }
    return difference;
  }

  private static float[] plus(float[] a, float[] b) {
    float[] sum = a.clone();
    for (int i = 0; i < a.length; i++) {
      sum[i] += b[i];
    }
    return sum;
  }

  static List<EngineSize> sizesWithCondition() {
    return List.of(EngineSize.ofBlocks(1), EngineSize.ofBlocks(2), EngineSize.BRANCH);
  }

  @ParameterizedTest
  @MethodSource("sizesWithCondition")
  void runOverAllBlocks_isTheSumOfTheGatedBranchOutputs(EngineSize engines) {
    List<String> branches;
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      branches = model.denoiser().branchNames();
      ExportOptions options = ExportOptions.of("dit").withEngines(engines);
      new Exporter(model, List.of(GatedSum.router(model)), options).export(folder.resolve("r"));
    }
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(folder.resolve("r"))) {
      GatedSum.check(runtime, "dit", branches);
    }
  }

  /** Tables without a pattern, runs that begin and end within blocks. */
  @ParameterizedTest
  @CsvSource({"dit, LAST", "dit, LINEAR", "dit, QUADRATIC", "pixart, LINEAR", "uvit, LINEAR"})
  void branchesAndRunsMixed_areTheSameInEnginesOfEverySize(String kind, String rule) {
    Reuse reuse =
        Map.of("LAST", Reuse.LAST, "LINEAR", Reuse.LINEAR, "QUADRATIC", Reuse.QUADRATIC).get(rule);
    UVitVectors uvit = UVitVectors.all().get(0);
    Path source =
        switch (kind) {
          case "dit" -> Checkpoints.DIT;
          case "uvit" -> uvit.checkpoint(); // a run that makes skips for blocks behind it
          default -> Checkpoints.PIXART;
        };
    Choices choices = kind.equals("uvit") ? uvit.choices() : Choices.NONE;
    Request asked =
        kind.equals("pixart")
            ? Request.of(PixArtPipelineGoldenTest.prompts("pixart/alpha-256-like"))
            : Request.of(List.of(3, 1));
    List<float[]> drawn = new ArrayList<>();
    for (EngineSize engines : sizes()) {
      Path repository = folder.resolve("repository");
      Router router;
      try (Checkpoint checkpoint = Checkpoint.open(source)) {
        Model model = Model.of(checkpoint, choices);
        router = mixed(model, reuse);
        ExportOptions options = ExportOptions.of("m").withEngines(engines).withForce(true);
        new Exporter(model, List.of(router), options).export(repository);
      }
      try (Pipeline pipeline = Pipeline.open(repository, "m")) {
        Result result = pipeline.generate(asked.withGuidance(4).withSeed(1).withRouter("mixed"));
        drawn.add(result.latents().values());
        Savings savings =
            Savings.of(router, pipeline.manifest().flops(), pipeline.manifest().cacheBytes());
        long rows = result.latents().count() * 2; // guidance
        long counted = rows * savings.peakCacheBytesPerSample().orElseThrow();
        assertThat(result.peakCacheBytes()).isEqualTo(counted);
      }
    }
    for (float[] other : drawn) {
      assertClose("latents", other, drawn.get(0), trajectoryTolerance(drawn.get(0)));
    }
  }

  private static Router mixed(Model model, Reuse reuse) {
    int branches = model.denoiser().branches().size();
    Random random = new Random(4);
    boolean[][] computes = new boolean[STEPS][branches];
    for (int s = 0; s < STEPS; s++) {
      for (int b = 0; b < branches; b++) {
        computes[s][b] = s == 0 || s == 4 || random.nextInt(3) == 0;
      }
    }
    List<Run> runs = List.of(new Run(1, 3), new Run(4, 4));
    for (int s : List.of(2, 3, 5, 7)) {
      runs.get(s % 2).branches().forEach(branch -> computes[s][branch] = false);
    }
    String sampler = model.denoiser().io().origin().sampler();
    Timesteps timesteps =
        model.denoiser().io().sampling().sampler(sampler, STEPS, Optional.empty()).timesteps();
    return Exports.router("mixed", model, sampler, timesteps, computes, runs, reuse);
  }

  @Test
  void peakCache_ofOneRun_isATenthOfTheBranches() {
    assertThat(10 * peak(Grained.of(new Taylor(2, 1), Grain.MODEL)))
        .isLessThanOrEqualTo(peak(new Taylor(2, 2)));
  }

  private static long peak(Policy policy) {
    Model model = Model.named("DiT-B/2");
    return Savings.of(router(policy, model), model.flops(), CacheBytes.of(model.denoiser()))
        .peakCacheBytesPerSample()
        .orElseThrow();
  }
}
