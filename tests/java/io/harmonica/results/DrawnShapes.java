package io.harmonica.results;

import io.harmonica.picture.Latents;
import java.util.List;
import java.util.Random;

/**
 * Draws the pictures that the example model was trained on: a port of {@code
 * export/shapes-dit-training/shapes.py}, line by line, in double precision.
 */
final class DrawnShapes {
  static final int CLASSES = 10;

  /** Random numbers of a picture. */
  static final int DRAWS = 13;

  private DrawnShapes() {}

  /** Pictures of classes 0, 1, ..., 9, 0, ...; picture i depends on {@code seed + i} only. */
  static Latents draw(int count, int size, long seed) {
    float[] values = new float[count * 3 * size * size];
    for (int i = 0; i < count; i++) {
      Random random = new Random((seed + i) * 0x9E3779B97F4A7C15L); // near seeds start alike
      double[] uniform = random.doubles(DRAWS).toArray();
      float[] picture = draw(i % CLASSES, uniform, size);
      System.arraycopy(picture, 0, values, i * picture.length, picture.length);
    }
    return new Latents(values, count, 3, size, size);
  }

  /** The classes of {@link #draw(int, int, long)}. */
  static List<Integer> classes(int count) {
    return java.util.stream.IntStream.range(0, count).map(i -> i % CLASSES).boxed().toList();
  }

  /**
   * One picture {@code [3, size, size]} in [-1, 1].
   *
   * @param u {@value #DRAWS} numbers in [0, 1), in the order in which the script draws them
   */
  static float[] draw(int label, double[] u, int size) {
    double scale = 0.58 + 0.14 * u[0];
    double centreX = (u[1] * 2 - 1) * 0.12;
    double centreY = (u[2] * 2 - 1) * 0.12;
    double angle = (u[3] * 2 - 1) * 0.25;
    double hue = u[4];
    double[] front = rgb(hue, 0.65 + 0.35 * u[5], 0.75 + 0.25 * u[6]);
    double backHue = (hue + 0.5 + 0.3 * (u[7] - 0.5)) % 1;
    double[] back0 = rgb(backHue, 0.15 + 0.3 * u[8], 0.55 + 0.4 * u[9]);
    double[] back1 = rgb((backHue + 0.08) % 1, 0.15 + 0.3 * u[10], 0.25 + 0.4 * u[11]);
    double direction = u[12] * 2 * Math.PI;
    float[] picture = new float[3 * size * size];
    for (int row = 0; row < size; row++) {
      for (int column = 0; column < size; column++) {
        double baseX = (column + 0.5) / size * 2 - 1;
        double baseY = (row + 0.5) / size * 2 - 1;
        double placedX = (baseX - centreX) / scale;
        double placedY = (baseY - centreY) / scale;
        double x = Math.cos(angle) * placedX + Math.sin(angle) * placedY;
        double y = -Math.sin(angle) * placedX + Math.cos(angle) * placedY;
        double coverage = clamp(0.5 - ShapeOutlines.distance(label, x, y) * scale * size / 2, 0, 1);
        double along = baseX * Math.cos(direction) + baseY * Math.sin(direction);
        double t = 0.5 + 0.5 * along / 1.42;
        double light = 1.08 - 0.22 * clamp(x + y, -1, 1) * 0.7;
        for (int colour = 0; colour < 3; colour++) {
          double back = back0[colour] * (1 - t) + back1[colour] * t;
          double value = back * (1 - coverage) + clamp(front[colour] * light, 0, 1) * coverage;
          picture[(colour * size + row) * size + column] = (float) (value * 2 - 1);
        }
      }
    }
    return picture;
  }

  private static double[] rgb(double hue, double saturation, double value) {
    double[] rgb = new double[3];
    for (int colour = 0; colour < 3; colour++) {
      double k = (5 - 2 * colour + hue * 6) % 6;
      rgb[colour] = value - value * saturation * clamp(Math.min(k, 4 - k), 0, 1);
    }
    return rgb;
  }

  private static double clamp(double value, double least, double most) {
    return Math.max(least, Math.min(most, value));
  }
}
