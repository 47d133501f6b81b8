package io.harmonica.results;

import java.util.Map;

/** How far a point is from the outline of a shape of about radius 1: negative inside. */
final class ShapeOutlines {
  private static final Map<Integer, double[][]> POLYGONS =
      Map.of(
          1, regular(4, Math.PI / 4, 1.0, 1.0),
          2, regular(3, -Math.PI / 2, 1.05, 1.05),
          3, regular(10, -Math.PI / 2, 1.05, 0.45),
          5,
              scaled(
                  0.92,
                  new double[][] {
                    {-0.33, -1},
                    {0.33, -1},
                    {0.33, -0.33},
                    {1, -0.33},
                    {1, 0.33},
                    {0.33, 0.33},
                    {0.33, 1},
                    {-0.33, 1},
                    {-0.33, 0.33},
                    {-1, 0.33},
                    {-1, -0.33},
                    {-0.33, -0.33}
                  }),
          8, regular(6, 0, 0.95, 0.95),
          9,
              new double[][] {
                {-1, -0.3}, {0.1, -0.3}, {0.1, -0.75}, {1, 0}, {0.1, 0.75}, {0.1, 0.3}, {-1, 0.3}
              });

  private ShapeOutlines() {}

  static double distance(int label, double x, double y) {
    return switch (label) {
      case 0 -> Math.hypot(x, y) - 0.9;
      case 4 -> 1.75 * heart(x / 1.75, y / 1.75);
      case 6 -> Math.abs(Math.hypot(x, y) - 0.72) - 0.22;
      case 7 -> Math.max(Math.hypot(x, y) - 0.95, 0.78 - Math.hypot(x - 0.45, y));
      default -> polygon(POLYGONS.get(label), x, y);
    };
  }

  private static double heart(double px, double py) {
    double x = Math.abs(px) * 0.98;
    double y = -py * 0.95 + 0.62;
    if (x + y > 1) {
      return Math.hypot(x - 0.25, y - 0.75) - Math.sqrt(2) / 4;
    }
    double m = 0.5 * Math.max(0, x + y);
    double squares = Math.min(x * x + (y - 1) * (y - 1), (x - m) * (x - m) + (y - m) * (y - m));
    return Math.sqrt(Math.max(1e-12, squares)) * Math.signum(x - y);
  }

  private static double polygon(double[][] corners, double x, double y) {
    double nearest = 1e9;
    double sign = 1;
    for (int i = 0; i < corners.length; i++) {
      double[] from = corners[i];
      double[] to = corners[(i + corners.length - 1) % corners.length];
      double edgeX = to[0] - from[0];
      double edgeY = to[1] - from[1];
      double wayX = x - from[0];
      double wayY = y - from[1];
      double along = (wayX * edgeX + wayY * edgeY) / (edgeX * edgeX + edgeY * edgeY);
      double t = Math.max(0, Math.min(1, along));
      double offX = wayX - edgeX * t;
      double offY = wayY - edgeY * t;
      nearest = Math.min(nearest, offX * offX + offY * offY);
      boolean above = y >= from[1];
      boolean below = y < to[1];
      boolean left = edgeX * wayY > edgeY * wayX;
      if (above == below && below == left) {
        sign = -sign;
      }
    }
    return sign * Math.sqrt(nearest);
  }

  /** Corners around a circle, their radius in turn the one and the other. */
  private static double[][] regular(int corners, double phase, double even, double odd) {
    double[][] points = new double[corners][];
    for (int i = 0; i < corners; i++) {
      double angle = i * 2 * Math.PI / corners + phase;
      double radius = i % 2 == 0 ? even : odd;
      points[i] = new double[] {radius * Math.cos(angle), radius * Math.sin(angle)};
    }
    return points;
  }

  private static double[][] scaled(double factor, double[][] points) {
    for (double[] point : points) {
      point[0] *= factor;
      point[1] *= factor;
    }
    return points;
  }
}
