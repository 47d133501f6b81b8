package io.harmonica.generate;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.difference;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exports;
import io.harmonica.picture.Latents;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Routed trajectories against a simulation that shares nothing with the loop but the table: {@link
 * ReferenceDit}, forecasts by their defining formula, DDIM in double.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class TrajectoryTest {
  private static final List<Integer> TIMESTEPS = List.of(875, 750, 625, 500, 375, 250, 125, 0);
  private static final int STEPS = 8;
  private static final int BRANCHES = 6;
  private static final double GUIDANCE = 1.5;
  private static final int NULL_CLASS = 10;

  /** Makes a branch's output of its computed ones. */
  private interface Forecast {
    float[] of(int step, int branch, List<Computed> history);
  }

  private record Computed(int step, float[] output) {}

  private final ReferenceDit reference = new ReferenceDit(Checkpoints.DIT);
  private final Map<String, boolean[][]> tables = new LinkedHashMap<>();
  private final double[][][] weights = new double[STEPS][BRANCHES][];
  private Path folder;
  private List<Router> routers;

  @BeforeAll
  void routers(@TempDir Path shared) {
    folder = shared;
    Random random = new Random(4);
    for (String name : List.of("last", "linear", "quadratic", "weights")) {
      boolean[][] computes = new boolean[STEPS][BRANCHES];
      for (int s = 0; s < STEPS; s++) {
        for (int b = 0; b < BRANCHES; b++) {
          computes[s][b] = s == 0 || random.nextInt(5) < 2;
        }
      }
      tables.put(name, computes);
    }
    for (int b = 0; b < BRANCHES; b++) {
      int computed = 0;
      for (int s = 0; s < STEPS; s++) {
        computed += tables.get("weights")[s][b] ? 1 : 0;
        int history = 1 + random.nextInt(Math.min(3, computed));
        weights[s][b] = new double[] {1};
        if (history > 1) {
          weights[s][b] = random.doubles(history, -0.5, 1).toArray();
        }
      }
    }
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      var model = Exports.model(checkpoint);
      routers =
          List.of(
              Exports.router("last", model, TIMESTEPS, tables.get("last"), Reuse.LAST),
              Exports.router("linear", model, TIMESTEPS, tables.get("linear"), Reuse.LINEAR),
              Exports.router(
                  "quadratic", model, TIMESTEPS, tables.get("quadratic"), Reuse.QUADRATIC),
              Exports.router(
                  "weights", model, TIMESTEPS, tables.get("weights"), new Reuse.Weights(weights)));
    }
  }

  static List<EngineSize> sizes() {
    return List.of(
        EngineSize.ofBlocks(1), EngineSize.ofBlocks(2), EngineSize.STEP, EngineSize.BRANCH);
  }

  @ParameterizedTest
  @MethodSource("sizes")
  void routed_isTheSimulation(EngineSize engines) {
    Path repository =
        Exports.export(
            Checkpoints.DIT,
            OptionalInt.empty(),
            routers,
            ExportOptions.of("dit").withEngines(engines).withForce(true),
            folder.resolve("repository"));
    Map<String, Forecast> forecasts =
        Map.of(
            "last", (step, branch, history) -> history.get(0).output(),
            "linear", (step, branch, history) -> taylor(step, history, 1),
            "quadratic", (step, branch, history) -> taylor(step, history, 2),
            "weights", this::weighted);
    try (Pipeline pipeline = Pipeline.open(repository, "dit")) {
      for (Router router : routers) {
        check(pipeline, router.name(), forecasts.get(router.name()));
      }
    }
  }

  @Test
  void simulation_tellsTheRulesApart() {
    float[] noise = noise(3);
    float[] uncached = simulate(noise, 3, 3, "last", null).get(STEPS - 1);
    float[] last =
        simulate(noise, 3, 3, "last", (s, b, history) -> history.get(0).output()).get(STEPS - 1);
    float[] linear =
        simulate(noise, 3, 3, "last", (s, b, history) -> taylor(s, history, 1)).get(STEPS - 1);
    float[] quadratic =
        simulate(noise, 3, 3, "last", (s, b, history) -> taylor(s, history, 2)).get(STEPS - 1);
    double tolerance = trajectoryTolerance(uncached);
    assertThat(difference(uncached, last)).isGreaterThan(20 * tolerance);
    assertThat(difference(last, linear)).isGreaterThan(20 * tolerance);
    assertThat(difference(linear, quadratic)).isGreaterThan(20 * tolerance);
  }

  private void check(Pipeline pipeline, String router, Forecast forecast) {
    int[] classes = {3, 8};
    float[][] noise = {noise(1), noise(2)};
    float[] both = Arrays.copyOf(noise[0], 512);
    System.arraycopy(noise[1], 0, both, 256, 256);
    List<float[]> states = new ArrayList<>();
    pipeline.generate(
        Request.of(List.of(3, 8))
            .withRouter(router)
            .withGuidance(GUIDANCE)
            .withGuidanceChannels(3)
            .withLatents(new Latents(both, 2, 4, 8, 8)),
        step -> states.add(step.latentsCopy()));
    for (int i = 0; i < 2; i++) {
      List<float[]> expected = simulate(noise[i], classes[i], 3, router, forecast);
      for (int s = 0; s < STEPS; s++) {
        float[] actual = Arrays.copyOfRange(states.get(s), i * 256, (i + 1) * 256);
        assertClose(
            "%s, picture %d, step %d".formatted(router, i, s),
            actual,
            expected.get(s),
            trajectoryTolerance(expected.get(s)));
      }
    }
  }

  /** The state after each step; without a forecast everything is computed. */
  private List<float[]> simulate(
      float[] noise, int label, int guidanceChannels, String router, Forecast forecast) {
    boolean[][] computes = tables.get(router);
    List<List<Computed>> conditional = histories();
    List<List<Computed>> unconditional = histories();
    float[] x = noise.clone();
    List<float[]> states = new ArrayList<>();
    for (int s = 0; s < STEPS; s++) {
      int step = s;
      int t = TIMESTEPS.get(s);
      boolean[] row = computes[s];
      float[] cond = reference.predict(x, t, label, rule(step, row, conditional, forecast));
      float[] uncond =
          reference.predict(x, t, NULL_CLASS, rule(step, row, unconditional, forecast));
      for (int i = 0; i < cond.length; i++) {
        boolean guided = i < guidanceChannels * 64;
        cond[i] = (float) (guided ? uncond[i] + GUIDANCE * (cond[i] - uncond[i]) : cond[i]);
      }
      int next = s + 1 < STEPS ? TIMESTEPS.get(s + 1) : -1;
      states.add(ddim(x, cond, t, next));
    }
    return states;
  }

  private static ReferenceDit.Branches rule(
      int step, boolean[] computes, List<List<Computed>> histories, Forecast forecast) {
    return (branch, computed) -> {
      List<Computed> history = histories.get(branch);
      if (forecast != null && !computes[branch]) {
        return forecast.of(step, branch, history);
      }
      history.add(0, new Computed(step, computed.get()));
      return history.get(0).output();
    };
  }

  private static List<List<Computed>> histories() {
    List<List<Computed>> histories = new ArrayList<>();
    for (int b = 0; b < BRANCHES; b++) {
      histories.add(new ArrayList<>());
    }
    return histories;
  }

  /** The expansion around the newest output, with divided differences as derivatives. */
  private static float[] taylor(int step, List<Computed> history, int order) {
    float[] newest = history.get(0).output();
    if (history.size() == 1) {
      return newest;
    }
    double ahead = step - history.get(0).step();
    float[] forecast = new float[newest.length];
    for (int i = 0; i < forecast.length; i++) {
      double slope = slope(history, 0, i);
      double value = newest[i] + ahead * slope;
      if (order == 2 && history.size() > 2) {
        double curvature =
            (slope - slope(history, 1, i)) / (history.get(0).step() - history.get(1).step());
        value += ahead * ahead / 2 * curvature;
      }
      forecast[i] = (float) value;
    }
    return forecast;
  }

  private static double slope(List<Computed> history, int age, int element) {
    Computed newer = history.get(age);
    Computed older = history.get(age + 1);
    return ((double) newer.output()[element] - older.output()[element])
        / (newer.step() - older.step());
  }

  private float[] weighted(int step, int branch, List<Computed> history) {
    double[] own = weights[step][branch];
    float[] sum = new float[history.get(0).output().length];
    for (int i = 0; i < sum.length; i++) {
      double value = 0;
      for (int k = 0; k < own.length; k++) {
        value += own[k] * history.get(k).output()[i];
      }
      sum[i] = (float) value;
    }
    return sum;
  }

  /** DDIM's step in place, and a copy of it; the last one is to timestep -1. */
  static float[] ddim(float[] x, float[] epsilon, int timestep, int nextTimestep) {
    double signal = signal(timestep);
    double next = signal(nextTimestep);
    for (int i = 0; i < x.length; i++) {
      double x0 = (x[i] - Math.sqrt(1 - signal) * epsilon[i]) / Math.sqrt(signal);
      x[i] = (float) (Math.sqrt(next) * x0 + Math.sqrt(1 - next) * epsilon[i]);
    }
    return x.clone();
  }

  /** Betas from 1e-4 to 0.02 over 1000 steps. */
  private static double signal(int timestep) {
    double product = 1;
    for (int t = 0; t <= timestep; t++) {
      product *= 1 - (1e-4 + (0.02 - 1e-4) * t / 999);
    }
    return product;
  }

  static float[] noise(long seed) {
    Random random = new Random(seed);
    float[] noise = new float[256];
    for (int i = 0; i < noise.length; i++) {
      noise[i] = (float) random.nextGaussian();
    }
    return noise;
  }
}
