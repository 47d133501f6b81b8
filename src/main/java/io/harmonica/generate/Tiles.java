package io.harmonica.generate;

import io.harmonica.picture.Latents;
import java.util.function.UnaryOperator;

/**
 * Decodes latents too large for one go in tiles that overlap by a quarter and are blended there, as
 * diffusers' {@code AutoencoderKL.tiled_decode}.
 *
 * @param tile side in elements, a multiple of 4; latents of at most this size are decoded whole
 * @param pixelsPerElement how much larger a decoded tile is
 */
record Tiles(int tile, int pixelsPerElement) {

  /** One picture: {@code [1, C, H, W]} to {@code [1, 3, f H, f W]}. */
  Latents decode(Latents latents, UnaryOperator<Latents> decoder) {
    if (latents.height() <= tile && latents.width() <= tile) {
      return decoder.apply(latents);
    }
    int step = tile - tile / 4;
    int blended = tile / 4 * pixelsPerElement;
    int kept = step * pixelsPerElement;
    int columns = (latents.width() + step - 1) / step;
    Latents[] above = null;
    Latents picture = null;
    for (int top = 0; top < latents.height(); top += step) {
      Latents[] row = new Latents[columns];
      for (int j = 0; j < columns; j++) {
        Latents part = decoder.apply(part(latents, top, j * step, tile, tile));
        if (above != null) {
          blendDown(above[j], part, blended);
        }
        if (j > 0) {
          blendRight(row[j - 1], part, blended);
        }
        if (picture == null) {
          int height = latents.height() * pixelsPerElement;
          int width = latents.width() * pixelsPerElement;
          picture =
              new Latents(
                  new float[part.channels() * height * width], 1, part.channels(), height, width);
        }
        row[j] = part;
        copy(part(part, 0, 0, kept, kept), picture, top * pixelsPerElement, j * kept);
      }
      above = row;
    }
    return picture;
  }

  /** From one corner on, up to the edge. */
  private static Latents part(Latents from, int top, int left, int most, int wide) {
    int height = Math.min(most, from.height() - top);
    int width = Math.min(wide, from.width() - left);
    float[] values = new float[from.channels() * height * width];
    for (int c = 0; c < from.channels(); c++) {
      for (int y = 0; y < height; y++) {
        int source = (c * from.height() + top + y) * from.width() + left;
        System.arraycopy(from.values(), source, values, (c * height + y) * width, width);
      }
    }
    return new Latents(values, 1, from.channels(), height, width);
  }

  private static void copy(Latents part, Latents to, int top, int left) {
    for (int c = 0; c < part.channels(); c++) {
      for (int y = 0; y < part.height(); y++) {
        int target = (c * to.height() + top + y) * to.width() + left;
        int source = (c * part.height() + y) * part.width();
        System.arraycopy(part.values(), source, to.values(), target, part.width());
      }
    }
  }

  /** Fades the upper tile's last rows into the lower one's first. */
  private static void blendDown(Latents above, Latents below, int most) {
    int rows = Math.min(most, Math.min(above.height(), below.height()));
    for (int c = 0; c < below.channels(); c++) {
      for (int y = 0; y < rows; y++) {
        int from = (c * above.height() + above.height() - rows + y) * above.width();
        int to = (c * below.height() + y) * below.width();
        for (int x = 0; x < below.width(); x++) {
          fade(above.values()[from + x], below.values(), to + x, (float) y / rows);
        }
      }
    }
  }

  /** Fades the left tile's last columns into the right one's first. */
  private static void blendRight(Latents left, Latents right, int most) {
    int columns = Math.min(most, Math.min(left.width(), right.width()));
    for (int c = 0; c < right.channels(); c++) {
      for (int y = 0; y < right.height(); y++) {
        int from = (c * left.height() + y) * left.width() + left.width() - columns;
        int to = (c * right.height() + y) * right.width();
        for (int x = 0; x < columns; x++) {
          fade(left.values()[from + x], right.values(), to + x, (float) x / columns);
        }
      }
    }
  }

  private static void fade(float old, float[] values, int index, float share) {
    values[index] = old * (1 - share) + values[index] * share;
  }
}
