package io.harmonica.repository;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Betas;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Noising;
import io.harmonica.sampler.Predicts;
import java.util.OptionalDouble;

/**
 * What the model was trained on, as {@link Diffusion} has it, {@link AnyTime}, or {@link Flow}.
 *
 * @param betaStart null for a flow, like all of the betas
 * @param betas how they grow, by diffusers' name; null: linear
 * @param predicts what the model does, by diffusers' name; null: epsilon
 * @param time how any time is told from training's timesteps, {@code interpolated} or {@code
 *     continuous}; null where the model takes whole timesteps
 * @param flow null where there are betas
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ManifestNoise(
    int trainTimesteps,
    Double betaStart,
    Double betaEnd,
    String betas,
    String predicts,
    String time,
    FlowNoise flow) {
  public ManifestNoise {
    if (flow == null) {
      Manifest.require("noise.betaStart", betaStart);
      Manifest.require("noise.betaEnd", betaEnd);
    }
    if (time != null) {
      AnyTime.Between.of(time); // or refuses
    }
    if (betas != null) {
      Betas.of(betas); // or refuses
    }
    if (predicts != null) {
      Predicts.of(predicts);
    }
  }

  /** Of diffusion. */
  public ManifestNoise(
      int trainTimesteps, double betaStart, double betaEnd, String betas, String predicts) {
    this(trainTimesteps, betaStart, betaEnd, betas, predicts, null, null);
  }

  /** The one that DiT and PixArt were trained with (Ho et al., arXiv 2006.11239). */
  public static final ManifestNoise LINEAR = of(Diffusion.DDPM);

  public static ManifestNoise of(Noising noising) {
    if (noising instanceof Flow flow) {
      return new ManifestNoise(
          flow.trainTimesteps(), null, null, null, null, null, FlowNoise.of(flow));
    }
    if (noising instanceof AnyTime any) {
      return new ManifestNoise(
          any.trainTimesteps(),
          any.betaStart(),
          any.betaEnd(),
          any.betas() == Betas.LINEAR ? null : any.betas().toString(),
          null,
          any.between().toString(),
          null);
    }
    Diffusion diffusion = (Diffusion) noising;
    return new ManifestNoise(
        diffusion.trainTimesteps(),
        diffusion.betaStart(),
        diffusion.betaEnd(),
        diffusion.betas() == Betas.LINEAR ? null : diffusion.betas().toString(),
        diffusion.predicts() == Predicts.NOISE ? null : diffusion.predicts().toString());
  }

  Noising noising() {
    if (flow != null) {
      return flow.noising(trainTimesteps);
    }
    Betas growth = betas == null ? Betas.LINEAR : Betas.of(betas);
    if (time != null) {
      AnyTime.Between between = AnyTime.Between.of(time);
      return new AnyTime(trainTimesteps, growth, betaStart, betaEnd, between);
    }
    return new Diffusion(
        trainTimesteps,
        growth,
        betaStart,
        betaEnd,
        predicts == null ? Predicts.NOISE : Predicts.of(predicts));
  }

  /**
   * How a flow's sigmas are visited, as {@link Flow} has it.
   *
   * @param shift {@code constant}, {@code exponential} or {@code linear}
   * @param by how much
   * @param terminal null where they are not stretched
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record FlowNoise(int tokens, String shift, double by, Double terminal) {
    static FlowNoise of(Flow flow) {
      return new FlowNoise(
          flow.tokens(),
          flow.shift().type().toString(),
          flow.shift().by(),
          flow.terminal().isPresent() ? flow.terminal().getAsDouble() : null);
    }

    Flow noising(int trainTimesteps) {
      return new Flow(
          trainTimesteps,
          tokens,
          new Flow.Shift(Flow.ShiftType.of(shift), by),
          terminal == null ? OptionalDouble.empty() : OptionalDouble.of(terminal));
    }
  }
}
