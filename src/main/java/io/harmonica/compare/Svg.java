package io.harmonica.compare;

import java.util.function.UnaryOperator;

/**
 * Builds an inline SVG whose colours are the page's. Positions across may be percent, so that a
 * drawing as wide as its place keeps the size of its text on a phone.
 */
final class Svg {
  private static final UnaryOperator<String> ESCAPED =
      text ->
          text.replace("&", "&amp;")
              .replace("<", "&lt;")
              .replace(">", "&gt;")
              .replace("\"", "&quot;")
              .replace("'", "&#39;");

  private final StringBuilder text = new StringBuilder();
  private final String unit;

  private Svg(String unit) {
    this.unit = unit;
  }

  /** As wide as its place: across in percent, down in pixels. */
  static Svg wide(String style, double height, String label) {
    Svg svg = new Svg("%");
    svg.add(
        "<svg class=\"%s\" width=\"100%%\" height=\"%.0f\" role=\"img\" aria-label=\"%s\">\n",
        style, height, escaped(label));
    return svg;
  }

  /** Scaled as a whole. */
  static Svg scaled(String style, double width, double height, String label) {
    Svg svg = new Svg("");
    svg.add(
        "<svg class=\"%s\" viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"%s\">\n",
        style, width, height, escaped(label));
    return svg;
  }

  /** Text as HTML shows it, in elements and in quoted attributes. */
  static String escaped(String text) {
    return ESCAPED.apply(text);
  }

  Svg line(String style, double x1, double y1, double x2, double y2) {
    return add(
        "<line class=\"%s\" x1=\"%.2f%s\" y1=\"%.1f\" x2=\"%.2f%s\" y2=\"%.1f\"/>\n",
        style, x1, unit, y1, x2, unit, y2);
  }

  Svg circle(String style, double x, double y, double radius) {
    return add(
        "<circle class=\"%s\" cx=\"%.2f%s\" cy=\"%.1f\" r=\"%.1f\"/>\n", style, x, unit, y, radius);
  }

  Svg rectangle(String style, double x, double y, double width, double height) {
    return add(
        "<rect class=\"%s\" x=\"%.2f%s\" y=\"%.1f\" width=\"%.2f%s\" height=\"%.1f\"/>\n",
        style, x, unit, y, width, unit, height);
  }

  Svg path(String style, String data) {
    return add("<path class=\"%s\" d=\"%s\"/>\n", style, data);
  }

  /** Text on a base line; the anchor is {@code start}, {@code middle} or {@code end}. */
  Svg text(String style, String anchor, double x, double y, String words) {
    return add(
        "<text class=\"%s\" text-anchor=\"%s\" x=\"%.2f%s\" y=\"%.1f\">%s</text>\n",
        style, anchor, x, unit, y, escaped(words));
  }

  String end() {
    return text + "</svg>\n";
  }

  private Svg add(String format, Object... values) {
    text.append(Numbers.format(format, values));
    return this;
  }
}
