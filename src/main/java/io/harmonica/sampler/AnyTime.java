package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
import io.harmonica.Timesteps;
import java.util.Locale;

/**
 * Diffusion of a model that predicts noise and is told any time, a decimal, not only training's
 * whole timesteps: U-ViT (Bao et al., arXiv 2209.12152).
 *
 * @param betaStart the first beta
 * @param betaEnd the last
 */
public record AnyTime(
    int trainTimesteps, Betas betas, double betaStart, double betaEnd, Between between)
    implements Noising {

  /** Of U-ViT-H and U-ViT's models of text: latent diffusion's betas (arXiv 2112.10752). */
  public static final AnyTime DISCRETE =
      new AnyTime(1000, Betas.SCALED_LINEAR, 0.00085, 0.012, Between.INTERPOLATED);

  /** Of U-ViT's other models: the variance-preserving SDE (Song et al., arXiv 2011.13456). */
  public static final AnyTime CONTINUOUS =
      new AnyTime(1000, Betas.LINEAR, 1e-4, 0.02, Between.CONTINUOUS);

  /** What lies between training's timesteps; with how the model is told the time. */
  public enum Between {
    /**
     * Lines, in the logarithm of the signal: the model was trained at whole timesteps, from 1 on.
     */
    INTERPOLATED,
    /** All of training: it drew any time. */
    CONTINUOUS;

    /** By its name, as {@link #toString} has it. */
    public static Between of(String name) {
      return Named.of(values(), name, "time");
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  public AnyTime {
    if (between == Between.CONTINUOUS && betas != Betas.LINEAR) {
      throw new IllegalArgumentException(
          "betas are %s, and continuous time is known for linear ones only".formatted(betas));
    }
  }

  @Override
  public Sampler sampler(String name, int steps, Spacing spacing) {
    Sampler.requireKnown(name);
    if (!Sampler.ANY_TIME.contains(name)) {
      throw new InvalidProperty(
          "sampler",
          "%s takes whole timesteps, and this model was trained on decimal ones; use %s"
              .formatted(name, Named.listed(Sampler.ANY_TIME)));
    }
    if (spacing != Spacing.UNIFORM) {
      throw new InvalidProperty(
          "spacing",
          "%s does not go with `sampler` %s; use %s".formatted(spacing, name, Spacing.UNIFORM));
    }
    return name.equals("dpm-solver-2")
        ? Singlestep.second(this, steps)
        : Singlestep.fast(this, steps);
  }

  /** The signal, in training's time from 0 to 1. */
  Curve curve() {
    return switch (between) {
      case INTERPOLATED -> Curve.Interpolated.of(this);
      case CONTINUOUS -> new Curve.Continuous(betaStart * trainTimesteps, betaEnd * trainTimesteps);
    };
  }

  /** The model's own time at a time of the curve. */
  double told(float time) {
    float told = scale() * time;
    return Double.parseDouble(Float.toString(told)); // as files write it, in few digits
  }

  /** The cumulative signal share at each step. */
  double[] signal(Timesteps timesteps) {
    Curve curve = curve();
    return timesteps.values().stream()
        .mapToDouble(told -> Math.exp(2.0 * curve.logAlpha((float) (told / scale()))))
        .toArray();
  }

  /** U-ViT's code stretches time to 1000 where training's timesteps are 1 to 1000, else to 999. */
  private int scale() {
    return between == Between.INTERPOLATED ? trainTimesteps : trainTimesteps - 1;
  }
}
