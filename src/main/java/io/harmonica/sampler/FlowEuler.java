package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
import io.harmonica.Timesteps;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Euler's method along a flow (Esser et al., "Scaling Rectified Flow Transformers", arXiv
 * 2403.03206, equation 1 and section 5.3.2): {@code x' = x + (sigma' - sigma) v}.
 *
 * <p>As diffusers' {@code FlowMatchEulerDiscreteScheduler}, in its order and precision: each bit of
 * a sigma is the same. A spacing is how a pipeline asks for the sigmas: {@code linspace} states
 * only how many (Stable Diffusion 3), {@code trailing} passes {@code 1, 1 - 1/n ... 1/n} (FLUX).
 *
 * @param sigmas of each step, and 0
 */
record FlowEuler(Timesteps timesteps, List<Float> sigmas) implements Memoryless {

  static FlowEuler of(Flow flow, int steps, Spacing spacing) {
    if (spacing != Spacing.LINSPACE && spacing != Spacing.TRAILING) {
      throw new InvalidProperty(
          "spacing",
          "%s does not go with `sampler` %s; use linspace or trailing"
              .formatted(spacing, Flow.SAMPLER));
    }
    if (steps < 1 || steps > flow.trainTimesteps()) {
      throw new InvalidProperty(
          "steps", "%d is out of range 1..%d".formatted(steps, flow.trainTimesteps()));
    }
    boolean stated = spacing == Spacing.TRAILING;
    double[] sigmas = stated ? stated(steps) : counted(flow, steps);
    new Arithmetic(stated).shift(flow, sigmas);
    List<Float> all =
        IntStream.rangeClosed(0, steps).mapToObj(i -> i == steps ? 0f : (float) sigmas[i]).toList();
    return new FlowEuler(
        new Timesteps(
            all.subList(0, steps).stream()
                .map(sigma -> (double) (sigma * flow.trainTimesteps()))
                .toList()),
        all);
  }

  /** numpy's {@code linspace(1, 1 / steps, steps)} in fp32. */
  private static double[] stated(int steps) {
    double[] sigmas = linspace(1, 1.0 / steps, steps);
    Arrays.setAll(sigmas, i -> (float) sigmas[i]);
    return sigmas;
  }

  /** Down to the smallest sigma of the training, which the constructor has shifted already. */
  private static double[] counted(Flow flow, int steps) {
    int most = flow.trainTimesteps();
    double[] smallest = {(float) (1.0 / most)};
    if (flow.shift().type() == Flow.ShiftType.CONSTANT) {
      new Arithmetic(true).shift(smallest, flow.shift());
    }
    double[] sigmas = linspace(most, smallest[0] * most, steps);
    Arrays.setAll(sigmas, i -> sigmas[i] / most);
    return sigmas;
  }

  private static double[] linspace(double first, double last, int count) {
    double[] values = new double[count];
    double stride = count == 1 ? 0 : (last - first) / (count - 1);
    Arrays.setAll(values, i -> i == count - 1 && i > 0 ? last : i * stride + first);
    return values;
  }

  /**
   * numpy's arithmetic of an array and Python's numbers.
   *
   * @param single whether the array is fp32, where each operation rounds
   */
  private record Arithmetic(boolean single) {

    void shift(Flow flow, double[] sigmas) {
      shift(sigmas, flow.shift());
      flow.terminal().ifPresent(terminal -> stretch(sigmas, terminal));
    }

    void shift(double[] sigmas, Flow.Shift shift) {
      if (shift.type() == Flow.ShiftType.CONSTANT) {
        double by = round(shift.by());
        double more = round(shift.by() - 1);
        Arrays.setAll(
            sigmas, i -> round(round(by * sigmas[i]) / round(1 + round(more * sigmas[i]))));
        return;
      }
      double exact = shift.type() == Flow.ShiftType.EXPONENTIAL ? Math.exp(shift.by()) : shift.by();
      double by = round(exact);
      Arrays.setAll(sigmas, i -> round(by / round(by + round(round(1 / sigmas[i]) - 1))));
    }

    private void stretch(double[] sigmas, double terminal) {
      double last = round(1 - sigmas[sigmas.length - 1]);
      double scale = round(last / round(1 - terminal));
      Arrays.setAll(sigmas, i -> round(1 - round(round(1 - sigmas[i]) / scale)));
    }

    private double round(double value) {
      return single ? (float) value : value;
    }
  }

  private float change(int step) {
    return sigmas.get(step + 1) - sigmas.get(step);
  }

  @Override
  public boolean needsNoise(int step) {
    return false;
  }

  @Override
  public Optional<Linear> linear(int step) {
    return Optional.of(new Linear(1, -sigmas.get(step), 1, 1, 0, change(step), 0));
  }

  @Override
  public void resume(int last, List<float[]> state) {}

  @Override
  public void step(int step, float[] x, Prediction prediction, float[] noise) {
    float change = change(step);
    for (int i = 0; i < x.length; i++) {
      x[i] += change * prediction.output()[i];
    }
  }
}
