package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.ForwardingRuntime;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.Spacing;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Forecasts inside the engines against TaylorSeer's formula, written out here. */
class ForecastTest {
  private static final int STEPS = 8;

  /** Steps that compute all branches, so that others forecast from one, two and three outputs. */
  private static final Set<Integer> COMPUTED = Set.of(0, 2, 5);

  /** Relative to {@code max(1, max |x|)}: the engine adds up weighted outputs, in fp32. */
  private static final double TOLERANCE = 1e-5;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void stepThatForecasts_isAStepThatReusesTheForecast(int order) {
    check("dit", order, Request.of(List.of(0, 1)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void stepThatForecasts_withBranchesThatHaveNoGate(int order) {
    String flavour = "pixart/alpha-256-like";
    Content.Texts prompts = PixArtPipelineGoldenTest.prompts(flavour);
    check(flavour, order, Request.of(prompts).withSampler("ddim"));
  }

  private void check(String name, int order, Request request) {
    Path repository = folder.resolve("repository");
    try (Checkpoint checkpoint = Golden.open(name)) {
      Model model = Exports.model(checkpoint);
      List<Router> routers = List.of(router("last", model, 0), router("forecast", model, order));
      new Exporter(model, routers, ExportOptions.of("m")).export(repository);
    }
    Checked runtime = new Checked(EmbeddedRuntime.open(repository), order);
    try (Pipeline pipeline = Pipeline.over(runtime, "m")) {
      pipeline.generate(request.withRouter("forecast"));
    }
    assertThat(runtime.forecasts).isEqualTo(STEPS - COMPUTED.size());
  }

  private static Router router(String name, Model model, int order) {
    boolean[][] computes = new boolean[STEPS][model.denoiser().branches().size()];
    COMPUTED.forEach(step -> Arrays.fill(computes[step], true));
    List<Integer> timesteps = Spacing.LEADING.timesteps(STEPS, 1000);
    return Exports.router(name, model, timesteps, computes, new Reuse.Forecast(order));
  }

  /** Repeats every step that forecasts as one that reuses a single output: the formula's. */
  private static final class Checked extends ForwardingRuntime {
    private final int order;
    private final Map<String, List<Past>> past = new HashMap<>(); // by branch, newest first
    private int step;
    private int forecasts;

    private record Past(int step, float[] values, long[] shape) {}

    Checked(Runtime runtime, int order) {
      super(runtime);
      this.order = order;
    }

    @Override
    public Map<String, Tensor> infer(
        String model, Map<String, Tensor> inputs, Set<String> outputs) {
      Map<String, Tensor> results = runtime.infer(model, inputs, outputs);
      if (!COMPUTED.contains(step)) {
        check(inputs, values(results.get(Names.NOISE_PREDICTION)));
        forecasts++;
      }
      results.forEach(
          (name, tensor) -> {
            if (!name.equals(Names.NOISE_PREDICTION)) {
              past.computeIfAbsent(name, branch -> new ArrayList<>())
                  .add(0, new Past(step, values(tensor), tensor.shape()));
            }
          });
      step++;
      return results;
    }

    private void check(Map<String, Tensor> inputs, float[] actual) {
      Map<String, Tensor> plain = new HashMap<>();
      inputs.forEach(
          (name, tensor) -> {
            if (!name.startsWith("block") && !name.equals(Names.REUSE_WEIGHTS)) {
              plain.put(name, tensor);
            }
          });
      past.forEach(
          (branch, outputs) ->
              plain.put(
                  Names.history(branch, 1),
                  runtime.tensor(FloatBuffer.wrap(forecast(outputs)), outputs.get(0).shape())));
      String reuse = Names.route("m", "last", 1); // step 1 reuses everything
      float[] expected =
          values(
              runtime
                  .infer(reuse, plain, Set.of(Names.NOISE_PREDICTION))
                  .get(Names.NOISE_PREDICTION));
      double largest = Golden.difference(expected, new float[expected.length]);
      Golden.assertClose(
          "prediction at step " + step, actual, expected, TOLERANCE * Math.max(1, largest));
    }

    /** TaylorSeer (arXiv 2503.06923): finite differences in steps, of as high an order as known. */
    private float[] forecast(List<Past> outputs) {
      int usable = Math.min(order, outputs.size() - 1);
      float[] values = outputs.get(0).values().clone();
      int ahead = step - outputs.get(0).step();
      for (int i = 0; i < values.length && usable > 0; i++) {
        double slope = slope(outputs, 0, i);
        values[i] += (float) (ahead * slope);
        if (usable == 2) {
          double change = slope - slope(outputs, 1, i);
          double curvature = change / (outputs.get(0).step() - outputs.get(1).step());
          values[i] += (float) (ahead * ahead / 2.0 * curvature);
        }
      }
      return values;
    }

    private static double slope(List<Past> outputs, int newer, int i) {
      Past a = outputs.get(newer);
      Past b = outputs.get(newer + 1);
      return ((double) a.values()[i] - b.values()[i]) / (a.step() - b.step());
    }

    private static float[] values(Tensor tensor) {
      float[] values = new float[tensor.floats().remaining()];
      tensor.floats().get(values);
      return values;
    }
  }
}
