package io.harmonica.sampler;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.Timesteps;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Singlestep DPM-Solver (Lu et al., arXiv 2206.00927, algorithms 1 and 2) where the noise is
 * continuous, and DPM-Solver++ (Lu et al., arXiv 2211.01095, algorithm 1 and appendix) where it is
 * interpolated: an update evaluates the model up to three times between its ends.
 *
 * <p>A step here is an evaluation: it moves the sample to where the next one looks. So within an
 * update every step goes out from the update's start, and the {@link Stepper} keeps what was there.
 * As U-ViT's code draws, without noise, and without anything after the last update.
 */
record Singlestep(Timesteps timesteps, List<Linear> steps) implements Sampler {
  private static final int MOST = 1000; // of a router

  Singlestep {
    steps = List.copyOf(steps);
  }

  /**
   * Updates of second order, {@code dpm-solver-2}: U-ViT as Learning-to-Cache draws it. Ends are
   * even in time on an interpolated curve, else in lambda.
   */
  static Singlestep second(AnyTime noising, int evaluations) {
    requireRange(evaluations, 2);
    if (evaluations % 2 == 1) {
      throw new InvalidProperty(
          "steps",
          "%d is odd, and dpm-solver-2 evaluates the model twice an update; use %d or %d"
              .formatted(evaluations, evaluations - 1, evaluations + 1));
    }
    Builder builder = new Builder(noising);
    float[] ends = builder.ends(evaluations / 2);
    for (int i = 0; i < evaluations / 2; i++) {
      builder.update(ends[i], ends[i + 1], 0.5f);
    }
    return builder.build();
  }

  /**
   * Updates of third order, and for what is left over of lower, {@code dpm-solver-fast}: U-ViT as
   * its own code draws it. On an interpolated curve evaluations are even in time, else updates are
   * in lambda.
   */
  static Singlestep fast(AnyTime noising, int evaluations) {
    requireRange(evaluations, 1);
    Builder builder = new Builder(noising);
    List<Integer> orders = orders(evaluations);
    boolean even = noising.between() == AnyTime.Between.INTERPOLATED;
    float[] ends = builder.ends(even ? evaluations : orders.size());
    int at = 0;
    for (int order : orders) {
      int stride = even ? order : 1;
      float[] ratios = even ? builder.ratios(ends, at, order) : usual(order);
      builder.update(ends[at], ends[at + stride], ratios);
      at += stride;
    }
    return builder.build();
  }

  /** As many of third order as leave one or two evaluations, or three, for lower ones. */
  private static List<Integer> orders(int evaluations) {
    List<Integer> orders = new ArrayList<>();
    int left = evaluations;
    for (; left > 3; left -= 3) {
      orders.add(3);
    }
    orders.addAll(left == 3 ? List.of(2, 1) : List.of(left));
    return orders;
  }

  private static float[] usual(int order) {
    return switch (order) {
      case 1 -> new float[0];
      case 2 -> new float[] {0.5f};
      default -> new float[] {1f / 3, 2f / 3};
    };
  }

  private static void requireRange(int evaluations, int least) {
    if (evaluations < least || evaluations > MOST) {
      throw new InvalidProperty(
          "steps", "%d is out of range %d..%d".formatted(evaluations, least, MOST));
    }
  }

  /** Puts evaluations together, update by update. */
  private static final class Builder {
    private final AnyTime noising;
    private final Curve curve;
    private final List<Double> told = new ArrayList<>();
    private final List<Linear> steps = new ArrayList<>();

    Builder(AnyTime noising) {
      this.noising = noising;
      this.curve = noising.curve();
    }

    /** The ends of so many parts of a trajectory. */
    float[] ends(int parts) {
      boolean even = noising.between() == AnyTime.Between.INTERPOLATED;
      float[] ends = new float[parts + 1];
      for (int i = 0; i <= parts; i++) {
        ends[i] =
            even
                ? Fp32.linspace(i, parts + 1, 1, curve.end())
                : curve.time(
                    Fp32.linspace(i, parts + 1, curve.lambda(1), curve.lambda(curve.end())));
      }
      return ends;
    }

    /** How far in lambda the points within an update lie, of its whole way. */
    float[] ratios(float[] ends, int at, int order) {
      float from = curve.lambda(ends[at]);
      float way = curve.lambda(ends[at + order]) - from;
      float[] ratios = new float[order - 1];
      for (int k = 0; k < ratios.length; k++) {
        ratios[k] = (curve.lambda(ends[at + 1 + k]) - from) / way;
      }
      return ratios;
    }

    /**
     * An update.
     *
     * @param r where it evaluates beside its start, in parts of its way in lambda
     */
    void update(float from, float to, float... r) {
      float start = curve.lambda(from);
      float h = curve.lambda(to) - start;
      float at = from;
      for (int k = 0; k <= r.length; k++) {
        boolean last = k == r.length;
        float way = last ? h : r[k] * h;
        float next = last ? to : curve.time(start + way);
        float ofStart =
            curve.solvesForPicture()
                ? curve.sigma(next) / curve.sigma(from)
                : Fp32.exp(curve.logAlpha(next) - curve.logAlpha(from));
        float z = curve.solvesForPicture() ? -way : way;
        float scale = curve.solvesForPicture() ? curve.alpha(next) : curve.sigma(next);
        float ofFirst = -(scale * Fp32.expm1(z));
        told.add(noising.told(at));
        steps.add(
            k == 0
                ? evaluation(at, ofStart, ofFirst)
                : evaluation(at, ofStart, ofFirst, change(k, r, scale, z)));
        at = next;
      }
    }

    /** What a step multiplies the change since the update's first evaluation with. */
    private static float change(int k, float[] r, float scale, float z) {
      if (r.length == 1) {
        return -(0.5f / r[0] * (scale * Fp32.expm1(z)));
      }
      float curved = scale * (Fp32.expm1(z) / z - 1);
      return k == 1 ? -(r[1] / r[0] * curved) : -(1 / r[1] * curved);
    }

    private Linear evaluation(float at, float ofStart, float ofFirst) {
      return curve.solvesForPicture()
          ? new Linear(1, -curve.sigma(at), curve.alpha(at), ofStart, ofFirst, 0, 0)
          : new Linear(0, 1, 1, ofStart, ofFirst, 0, 0);
    }

    private Linear evaluation(float at, float ofStart, float ofFirst, float ofChange) {
      return evaluation(at, 0, 0).within(ofStart, ofFirst, ofChange);
    }

    Singlestep build() {
      return new Singlestep(new Timesteps(told), steps);
    }
  }

  @Override
  public boolean needsNoise(int step) {
    return false;
  }

  @Override
  public Optional<Linear> linear(int step) {
    return Optional.of(steps.get(step));
  }

  @Override
  public boolean beginsUpdate(int step) {
    return !steps.get(step).isWithin();
  }

  @Override
  public Stepper start() {
    return new Steps(new InOrder(), List.of());
  }

  /** Remembers what the first evaluation of its update meant, and the sample there. */
  private final class Steps implements Stepper {
    private final InOrder order;
    private List<float[]> state; // replaced, never written to

    Steps(InOrder order, List<float[]> state) {
      this.order = order;
      this.state = state;
    }

    @Override
    public void step(int step, float[] x, Prediction prediction, float[] noise) {
      order.require(step);
      if (state.isEmpty() && !beginsUpdate(step)) {
        throw new HarmonicaException(
            "step %d is within an update, and a trajectory cannot begin there: begin it at an update's first step"
                .formatted(step));
      }
      state = steps.get(step).move(x, prediction.output(), state);
    }

    @Override
    public List<float[]> state() {
      return state;
    }

    @Override
    public void resume(int last, List<float[]> handedOn) {
      order.resume(last);
      state = handedOn.stream().map(float[]::clone).toList();
    }

    @Override
    public Stepper fork() {
      return new Steps(order.fork(), state);
    }
  }
}
