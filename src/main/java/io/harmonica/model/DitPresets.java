package io.harmonica.model;

import io.harmonica.HarmonicaException;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/** The published sizes of DiT (facebookresearch/DiT {@code models.py}). */
public enum DitPresets {
  XL(28, 1152, 16),
  L(24, 1024, 16),
  B(12, 768, 12),
  S(12, 384, 6);

  final int depth;
  public final int width;
  public final int heads;

  DitPresets(int depth, int width, int heads) {
    this.depth = depth;
    this.width = width;
    this.heads = heads;
  }

  public static Optional<DitPresets> of(int depth, int width) {
    return Arrays.stream(values()).filter(p -> p.depth == depth && p.width == width).findFirst();
  }

  /** {@code DiT-XL/2} for a published size, else {@code DiT-<depth>x<width>/<patch>}. */
  static String name(int depth, int width, int patch) {
    return "DiT-" + of(depth, width).map(Enum::name).orElse(depth + "x" + width) + "/" + patch;
  }

  /** The structure that {@code DiT-XL/2} names, as facebook published it for 256 x 256 pictures. */
  public static Dit named(String architecture) {
    for (DitPresets preset : values()) {
      for (int patch : new int[] {2, 4, 8}) {
        if (architecture.equals("DiT-" + preset + "/" + patch)) {
          Denoiser.Interface io = new Denoiser.Interface(4, 8, 32, 32, 1000, "openai", 3);
          return new Dit(
              preset.width, preset.heads, preset.depth, patch, 1001, Dit.Layout.FACEBOOK, io);
        }
      }
    }
    throw new HarmonicaException(
        "unknown architecture '%s'; known: %s, each with /2, /4 or /8, %s, %s"
            .formatted(
                architecture,
                Arrays.stream(values()).map(p -> "DiT-" + p).collect(Collectors.joining(", ")),
                PixArt.XL,
                String.join(", ", UVitPresets.names())));
  }
}
