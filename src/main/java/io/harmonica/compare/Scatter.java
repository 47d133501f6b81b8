package io.harmonica.compare;

import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.DoubleStream;

/**
 * Speedup against PSNR as inline SVG, a bar for each speedup's interval, the frontier as a line,
 * labels kept apart.
 */
final class Scatter {
  private static final int WIDTH = 420;
  private static final int HEIGHT = 300;
  private static final int LEFT = 44;
  private static final int RIGHT = 16;
  private static final int TOP = 16;
  private static final int BOTTOM = 44;
  private static final double LETTER_WIDTH = 7.2; // of the 13 px text
  private static final int LETTER_HEIGHT = 15;

  private final Axis speedups;
  private final Axis decibels;
  private final List<Rectangle2D> taken = new ArrayList<>();

  private Scatter(List<Report.Entry> entries) {
    double[] x =
        entries.stream().flatMapToDouble(e -> DoubleStream.of(value(e), low(e), high(e))).toArray();
    speedups = Axis.around(x, LEFT, WIDTH - RIGHT);
    decibels =
        Axis.around(
            entries.stream().mapToDouble(Scatter::decibels).toArray(), HEIGHT - BOTTOM, TOP);
  }

  /** The drawing, empty where no variant has a finite PSNR. */
  static String of(Report report) {
    List<Report.Entry> entries =
        report.variants().stream()
            .filter(entry -> entry.speedup().isPresent() && Double.isFinite(decibels(entry)))
            .sorted(Comparator.comparingDouble(entry -> -decibels(entry)))
            .toList();
    return entries.isEmpty() ? "" : new Scatter(entries).draw(entries);
  }

  private String draw(List<Report.Entry> entries) {
    Svg svg =
        Svg.scaled("scatter", WIDTH, HEIGHT, "Speedup against PSNR; the table holds the numbers");
    for (double tick : speedups.ticks()) {
      double x = speedups.place(tick);
      svg.line("grid", x, TOP, x, HEIGHT - BOTTOM);
      svg.text("tick", "middle", x, HEIGHT - BOTTOM + 17, speedups.label(tick) + "×");
    }
    for (double tick : decibels.ticks()) {
      double y = decibels.place(tick);
      svg.line("grid", LEFT, y, WIDTH - RIGHT, y);
      svg.text("tick", "end", LEFT - 8, y + 4, decibels.label(tick));
    }
    svg.text("axis", "end", WIDTH - RIGHT, HEIGHT - 6, "measured speedup →");
    svg.text("axis", "start", LEFT + 6, TOP + 12, "↑ PSNR, dB");
    taken.add(new Rectangle2D.Double(LEFT, TOP - 2, 90, 18));
    frontier(svg, entries);
    for (Report.Entry entry : entries) {
      double x = speedups.place(value(entry));
      double y = decibels.place(decibels(entry));
      double low = speedups.place(low(entry));
      double high = speedups.place(high(entry));
      svg.line("interval", low, y, high, y);
      svg.circle("point", x, y, 5);
      taken.add(new Rectangle2D.Double(x - 6, y - 6, 12, 12));
      taken.add(new Rectangle2D.Double(low, y - 1, Math.max(1, high - low), 2));
    }
    entries.forEach(entry -> label(svg, entry));
    return svg.end();
  }

  /** Joins the variants that no other one beats in both, from the closest to the fastest. */
  private void frontier(Svg svg, List<Report.Entry> entries) {
    Report.Entry last = null; // entries come closest first
    for (Report.Entry entry : entries) {
      if (last == null || value(entry) > value(last)) {
        if (last != null) {
          svg.line(
              "frontier",
              speedups.place(value(last)),
              decibels.place(decibels(last)),
              speedups.place(value(entry)),
              decibels.place(decibels(entry)));
        }
        last = entry;
      }
    }
  }

  /** The label at the nearest place around its point where nothing else is. */
  private void label(Svg svg, Report.Entry entry) {
    double x = speedups.place(value(entry));
    double y = decibels.place(decibels(entry));
    double width = entry.name().length() * LETTER_WIDTH;
    Rectangle2D place = null;
    for (int away = 9; away <= 80 && place == null; away += 6) {
      double[][] corners = {
        {x + away, y - LETTER_HEIGHT / 2.0},
        {x - away - width, y - LETTER_HEIGHT / 2.0},
        {x - width / 2, y - away - LETTER_HEIGHT},
        {x - width / 2, y + away},
        {x + away, y - away - LETTER_HEIGHT},
        {x + away, y + away},
        {x - away - width, y - away - LETTER_HEIGHT},
        {x - away - width, y + away}
      };
      for (double[] corner : corners) {
        Rectangle2D candidate = new Rectangle2D.Double(corner[0], corner[1], width, LETTER_HEIGHT);
        if (place == null && free(candidate)) {
          place = candidate;
        }
      }
    }
    if (place == null) { // crowded: the table still names it
      return;
    }
    taken.add(place);
    svg.text("label", "start", place.getX(), place.getMaxY() - 4, entry.name());
  }

  private boolean free(Rectangle2D candidate) {
    return new Rectangle2D.Double(LEFT, 0, WIDTH - LEFT, HEIGHT - BOTTOM).contains(candidate)
        && taken.stream().noneMatch(candidate::intersects);
  }

  private static double decibels(Report.Entry entry) {
    return entry.quality().map(Quality::meanPsnrDecibels).orElse(Double.NaN);
  }

  private static double value(Report.Entry entry) {
    return entry.speedup().orElseThrow().value();
  }

  private static double low(Report.Entry entry) {
    Speedup speedup = entry.speedup().orElseThrow();
    return speedup.hasInterval() ? speedup.low() : speedup.value();
  }

  private static double high(Report.Entry entry) {
    Speedup speedup = entry.speedup().orElseThrow();
    return speedup.hasInterval() ? speedup.high() : speedup.value();
  }
}
