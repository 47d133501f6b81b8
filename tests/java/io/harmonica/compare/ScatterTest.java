package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class ScatterTest {
  private static final Pattern LABEL =
      Pattern.compile("class=\"label\"[^>]* x=\"([0-9.]+)\" y=\"([0-9.]+)\">([^<]+)<");
  private static final Pattern POINT =
      Pattern.compile("class=\"point\" cx=\"([0-9.]+)\" cy=\"([0-9.]+)\"");

  @Test
  void of_keepsLabelsApart() {
    // Three pairs that lie close together, as variants of equal cost do.
    Report report =
        Reports.of(
            Reports.reference(),
            Reports.entry("fora-2", 0.5, 2, 1.92, 30.6),
            Reports.entry("taylor-2", 0.5, 2, 1.93, 30.9),
            Reports.entry("10 steps", 0, 2, 1.97, 30.7),
            Reports.entry("fora-3", 0.67, 2.8, 2.70, 25.5),
            Reports.entry("taylor-3", 0.67, 2.8, 2.69, 25.4),
            Reports.entry("7 steps", 0, 2.8, 2.71, 25.6));
    String svg = Scatter.of(report);
    List<Rectangle2D> boxes = new ArrayList<>();
    for (MatchResult label : LABEL.matcher(svg).results().toList()) {
      double width = 7 * label.group(3).length();
      double x = Double.parseDouble(label.group(1));
      double y = Double.parseDouble(label.group(2));
      boxes.add(new Rectangle2D.Double(x, y - 10, width, 12));
    }
    assertThat(boxes).hasSize(6);
    for (MatchResult point : POINT.matcher(svg).results().toList()) {
      double x = Double.parseDouble(point.group(1));
      double y = Double.parseDouble(point.group(2));
      assertThat(boxes).noneMatch(box -> box.intersects(x - 5, y - 5, 10, 10));
    }
    for (Rectangle2D box : boxes) {
      assertThat(boxes.stream().filter(box::intersects)).containsExactly(box);
    }
  }

  @Test
  void of_putsFasterRight_andCloserUp() {
    String svg =
        Scatter.of(
            Reports.of(Reports.entry("a", 0, 1, 1.5, 40), Reports.entry("b", 0, 2, 2.5, 30)));
    List<MatchResult> points = POINT.matcher(svg).results().toList();
    assertThat(Double.parseDouble(points.get(0).group(1)))
        .isLessThan(Double.parseDouble(points.get(1).group(1)));
    assertThat(Double.parseDouble(points.get(0).group(2)))
        .isLessThan(Double.parseDouble(points.get(1).group(2)));
  }

  /** The middle one is slower than the last and further away. */
  @Test
  void of_joinsThoseThatNoOtherOneBeats() {
    String svg =
        Scatter.of(
            Reports.of(
                Reports.entry("a", 0, 1, 1.5, 40),
                Reports.entry("beaten", 0, 2, 1.4, 35),
                Reports.entry("b", 0, 2, 2.5, 30)));
    assertThat(Pattern.compile("class=\"frontier\"").matcher(svg).results()).hasSize(1);
  }

  @Test
  void of_isEmpty_whereAllPicturesAreIdentical() {
    assertThat(Scatter.of(Reports.of(Reports.reference()))).isEmpty();
  }
}
