package io.harmonica.model;

import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Spacing;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalDouble;

/** The two noise schedules that U-ViTs were trained on; a file does not say which it was. */
public enum UVitSchedule {
  /**
   * That of latent diffusion, at 1000 times: the models without a last convolution, and of text.
   */
  DISCRETE(AnyTime.DISCRETE),

  /** The variance-preserving SDE, at any time: the others. */
  CONTINUOUS(AnyTime.CONTINUOUS);

  /** Of the autoencoder beside the models of text ({@code configs/mscoco_uvit_small.py}). */
  private static final double TEXT_LATENT_SCALE = 0.23010;

  private final AnyTime noising;

  UVitSchedule(AnyTime noising) {
    this.noising = noising;
  }

  /** How U-ViT's own code draws: it guides all channels. */
  public Origin origin(int channels, Shows shows, OptionalDouble guidance) {
    double scale = shows instanceof Shows.Text ? TEXT_LATENT_SCALE : Origin.LATENT_SCALE;
    return new Origin(noising, "dpm-solver-fast", Spacing.UNIFORM, channels, guidance, scale, 0);
  }

  /** The words of all. */
  public static List<String> words() {
    return Arrays.stream(values()).map(UVitSchedule::toString).toList();
  }

  /** In lower case, as options have it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
