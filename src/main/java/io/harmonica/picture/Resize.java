package io.harmonica.picture;

/**
 * Brings pictures to a size that their model does not make: enlarged or reduced until they cover
 * it, then cropped about the centre, as diffusers' {@code resize_and_crop_tensor}.
 */
public final class Resize {
  private Resize() {}

  public static Latents to(Latents pixels, int height, int width) {
    if (pixels.height() == height && pixels.width() == width) {
      return pixels;
    }
    double ratio = Math.max((double) height / pixels.height(), (double) width / pixels.width());
    int tall = Math.max(height, (int) (pixels.height() * ratio));
    int wide = Math.max(width, (int) (pixels.width() * ratio));
    int top = (tall - height) / 2;
    int left = (wide - width) / 2;
    int planes = pixels.count() * pixels.channels();
    float[] values = new float[planes * height * width];
    for (int y = 0; y < height; y++) {
      Sample row = Sample.of(top + y, pixels.height(), tall);
      for (int x = 0; x < width; x++) {
        Sample column = Sample.of(left + x, pixels.width(), wide);
        for (int plane = 0; plane < planes; plane++) {
          float upper = column.of(pixels, plane, row.first());
          float lower = column.of(pixels, plane, row.second());
          values[(plane * height + y) * width + x] = upper + row.share() * (lower - upper);
        }
      }
    }
    return new Latents(values, pixels.count(), pixels.channels(), height, width);
  }

  /** Where a pixel lies between two others, in one direction; corners are not aligned. */
  private record Sample(int first, int second, float share) {
    static Sample of(int target, int from, int to) {
      float source = Math.max(0, (target + 0.5f) * ((float) from / to) - 0.5f);
      int first = Math.min((int) source, from - 1);
      return new Sample(first, Math.min(first + 1, from - 1), source - first);
    }

    float of(Latents pixels, int plane, int row) {
      int start = (plane * pixels.height() + row) * pixels.width();
      float left = pixels.values()[start + first];
      return left + share * (pixels.values()[start + second] - left);
    }
  }
}
