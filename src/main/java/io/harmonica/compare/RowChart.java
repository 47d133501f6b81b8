package io.harmonica.compare;

import java.util.List;

/**
 * A chart with a row a variant over one axis, as wide as its place: each row has its name and its
 * value on a line, and its drawing below.
 */
final class RowChart {
  private static final double EDGE = 1; // percent, so that nothing is cut off at the sides
  private static final int CAPTION = 20;
  private static final int GAP = 14;
  private static final int AXIS = 34;

  private final Svg svg;
  private final Axis axis;
  private final int rowHeight;
  private int top;

  private RowChart(Svg svg, Axis axis, int rowHeight) {
    this.svg = svg;
    this.axis = axis;
    this.rowHeight = rowHeight;
  }

  /** Begins a chart whose axis holds the values. */
  static RowChart of(int rows, int rowHeight, double[] values, String unit, String label) {
    Axis axis = Axis.around(values, EDGE, 100 - EDGE);
    int bottom = rows * (CAPTION + rowHeight + GAP);
    RowChart chart = new RowChart(Svg.wide("rows", bottom + AXIS, label), axis, rowHeight);
    List<Double> ticks = axis.ticks();
    for (int i = 0; i < ticks.size(); i++) {
      double x = axis.place(ticks.get(i));
      chart.svg.line("grid", x, 0, x, bottom);
      String anchor = i == 0 ? "start" : i == ticks.size() - 1 ? "end" : "middle";
      chart.svg.text("tick", anchor, x, bottom + 17, axis.label(ticks.get(i)) + unit);
    }
    return chart;
  }

  /** Begins the next row, whose drawing is {@link #middle} down. */
  RowChart row(String name, String value) {
    svg.text("name", "start", 0, top + 13, name);
    svg.text("value", "end", 100, top + 13, value);
    top += CAPTION + rowHeight + GAP;
    return this;
  }

  /** The middle of the row under way. */
  double middle() {
    return bottom() - rowHeight / 2.0;
  }

  /** The lower edge of the row under way. */
  double bottom() {
    return top - GAP;
  }

  double place(double value) {
    return axis.place(value);
  }

  Svg svg() {
    return svg;
  }

  String end() {
    return svg.end();
  }
}
