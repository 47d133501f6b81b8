package io.harmonica.picture;

import io.harmonica.HarmonicaException;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Pictures from the pixels that {@code Pipeline.decode} gives, as diffusers makes them: {@code x /
 * 2 + 0.5}, clamped to 0..1, times 255, rounded half to even.
 *
 * <pre>{@code
 * List<BufferedImage> pictures = Pictures.of(pipeline.decode(result.latents()));
 * }</pre>
 */
public final class Pictures {
  private Pictures() {}

  /** One 8-bit RGB picture a sample; a sample of one channel is grey. */
  public static List<BufferedImage> of(Latents latents) {
    requirePixels(latents);
    return IntStream.range(0, latents.count()).mapToObj(i -> picture(latents, i)).toList();
  }

  /** A value of a pixel model, about -1..1, as brightness 0..1. */
  public static float brightness(float value) {
    return Math.min(1f, Math.max(0f, value / 2 + 0.5f));
  }

  /** Whether samples of that many channels are pictures: grey, or RGB. */
  public static boolean arePixels(int channels) {
    return channels == 1 || channels == 3;
  }

  /** Fails for latents that are not pixels: they need a decoder first. */
  public static void requirePixels(Latents latents) {
    if (!arePixels(latents.channels())) {
      throw new HarmonicaException(
          "latents of %d channels are not pictures (1 channel: grey, 3: RGB); they need the model's"
                  .formatted(latents.channels())
              + " decoder: export the model with `vae`, or keep them with `saveLatents`");
    }
  }

  private static BufferedImage picture(Latents latents, int index) {
    BufferedImage picture =
        new BufferedImage(latents.width(), latents.height(), BufferedImage.TYPE_INT_RGB);
    int plane = latents.height() * latents.width();
    int first = index * latents.sampleSize();
    for (int pixel = 0; pixel < plane; pixel++) {
      int rgb = 0;
      for (int colour = 0; colour < 3; colour++) {
        int channel = latents.channels() == 1 ? 0 : colour;
        rgb = rgb << 8 | level(latents.values()[first + channel * plane + pixel], index);
      }
      picture.setRGB(pixel % latents.width(), pixel / latents.width(), rgb);
    }
    return picture;
  }

  private static int level(float value, int index) {
    if (Float.isNaN(value)) {
      throw new HarmonicaException(
          "sample %d holds NaN, which is no colour; check the checkpoint and its precision (try"
                  .formatted(index)
              + " `precision` fp32)");
    }
    return (int) Math.rint(brightness(value) * 255f); // a float product, as numpy's
  }
}
