package io.harmonica.compare;

import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** Speedup against PSNR as inline SVG, a bar for each speedup's interval, labels kept apart. */
final class Scatter {
  private static final int WIDTH = 520;
  private static final int HEIGHT = 320;
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
        entries.stream()
            .flatMap(e -> java.util.stream.Stream.of(e.speedup().low(), e.speedup().high()))
            .mapToDouble(Double::doubleValue)
            .toArray();
    speedups = Axis.around(x, LEFT, WIDTH - RIGHT);
    decibels =
        Axis.around(
            entries.stream().mapToDouble(Report.Entry::psnrDecibels).toArray(),
            HEIGHT - BOTTOM,
            TOP);
  }

  /** The drawing, empty where no variant has a finite PSNR. */
  static String of(Report report) {
    List<Report.Entry> entries =
        report.variants().stream()
            .filter(entry -> !entry.identical())
            .sorted(Comparator.comparingDouble(entry -> -entry.psnrDecibels()))
            .toList();
    return entries.isEmpty() ? "" : new Scatter(entries).draw(entries);
  }

  private String draw(List<Report.Entry> entries) {
    StringBuilder svg = new StringBuilder();
    svg.append(
        svg(
            "<svg class=\"scatter\" viewBox=\"0 0 %d %d\" role=\"img\""
                + " aria-label=\"Speedup against PSNR; the table holds the numbers\">\n",
            WIDTH, HEIGHT));
    for (double tick : speedups.ticks()) {
      double x = speedups.place(tick);
      svg.append(line("grid", x, TOP, x, HEIGHT - BOTTOM));
      svg.append(text("tick", "middle", x, HEIGHT - BOTTOM + 17, speedups.label(tick) + "×"));
    }
    for (double tick : decibels.ticks()) {
      double y = decibels.place(tick);
      svg.append(line("grid", LEFT, y, WIDTH - RIGHT, y));
      svg.append(text("tick", "end", LEFT - 8, y + 4, decibels.label(tick)));
    }
    svg.append(text("axis", "end", WIDTH - RIGHT, HEIGHT - 6, "realised speedup →"));
    svg.append(text("axis", "start", LEFT + 6, TOP + 12, "↑ PSNR, dB"));
    taken.add(new Rectangle2D.Double(LEFT, TOP - 2, 90, 18));
    for (Report.Entry entry : entries) {
      double x = speedups.place(entry.speedup().value());
      double y = decibels.place(entry.psnrDecibels());
      double low = speedups.place(entry.speedup().low());
      double high = speedups.place(entry.speedup().high());
      svg.append(line("interval", low, y, high, y));
      svg.append(svg("<circle class=\"point\" cx=\"%.1f\" cy=\"%.1f\" r=\"5\"/>\n", x, y));
      taken.add(new Rectangle2D.Double(x - 6, y - 6, 12, 12));
      taken.add(new Rectangle2D.Double(low, y - 1, Math.max(1, high - low), 2));
    }
    entries.forEach(entry -> svg.append(label(entry)));
    return svg.append("</svg>\n").toString();
  }

  /** The label at the nearest place around its point where nothing else is. */
  private String label(Report.Entry entry) {
    double x = speedups.place(entry.speedup().value());
    double y = decibels.place(entry.psnrDecibels());
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
      return "";
    }
    taken.add(place);
    return text("label", "start", place.getX(), place.getMaxY() - 4, entry.name());
  }

  private boolean free(Rectangle2D candidate) {
    return new Rectangle2D.Double(LEFT, 0, WIDTH - LEFT, HEIGHT - BOTTOM).contains(candidate)
        && taken.stream().noneMatch(candidate::intersects);
  }

  private static String line(String style, double x1, double y1, double x2, double y2) {
    return svg(
        "<line class=\"%s\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>\n",
        style, x1, y1, x2, y2);
  }

  private static String text(String style, String anchor, double x, double y, String text) {
    return svg(
        "<text class=\"%s\" text-anchor=\"%s\" x=\"%.1f\" y=\"%.1f\">%s</text>\n",
        style, anchor, x, y, ReportPage.escaped(text));
  }

  private static String svg(String format, Object... values) {
    return String.format(Locale.ROOT, format, values);
  }
}
