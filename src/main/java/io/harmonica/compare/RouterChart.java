package io.harmonica.compare;

import io.harmonica.router.Router;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A router's table as inline SVG: a row a step, a column a branch; a computed cell in its kind's
 * colour, the stronger the higher its score, a reused one empty, or where a run stands for it with
 * a line through.
 */
final class RouterChart {
  private static final int LEFT = 26;
  private static final int TOP = 16;
  private static final int SHADES = 4;
  static final int KINDS = 3; // colours of the style sheet

  private RouterChart() {}

  static String of(Router router) {
    int branches = router.branches().size();
    int cell = Math.max(4, Math.min(14, 420 / branches));
    int across = branches * cell;
    int down = router.steps() * cell;
    Svg svg =
        Svg.scaled(
            "router",
            LEFT + across,
            TOP + down,
            "Router %s: %d steps, %d branches".formatted(router.name(), router.steps(), branches));
    svg.rectangle("ground", LEFT, TOP, across, down);
    Map<String, StringBuilder> cells = new TreeMap<>(); // one path a colour keeps the page small
    for (int s = 0; s < router.steps(); s++) {
      for (int b = 0; b < branches; b++) {
        if (router.computes(s, b)) {
          cells
              .computeIfAbsent(style(router, s, b), style -> new StringBuilder())
              .append(square(LEFT + b * cell, TOP + s * cell, cell));
        } else if (router.isUnderRun(s, b)) {
          cells
              .computeIfAbsent(shaded(router, b, 1), style -> new StringBuilder())
              .append(dash(LEFT + b * cell, TOP + s * cell, cell));
        }
      }
    }
    cells.forEach((style, data) -> svg.path(style, data.toString()));
    axes(svg, router, cell);
    return svg.end();
  }

  private static String square(int x, int y, int cell) {
    int side = cell - 1;
    return "M%d %dh%dv%dh-%dz".formatted(x, y, side, side, side);
  }

  private static String dash(int x, int y, int cell) {
    return "M%d %dh%dv1h-%dz".formatted(x, y + cell / 2, cell, cell);
  }

  private static String style(Router router, int step, int branch) {
    double above = router.score(step, branch) - router.threshold();
    int shade = (int) Math.ceil(SHADES * above / (1 - router.threshold()));
    return shaded(router, branch, Math.max(1, Math.min(SHADES, shade)));
  }

  private static String shaded(Router router, int branch, int shade) {
    int kind = kinds(router).indexOf(kind(router.branches().get(branch))) % KINDS;
    return "kind-%d shade-%d".formatted(kind, shade);
  }

  private static void axes(Svg svg, Router router, int cell) {
    int every = (int) Math.ceil(12.0 / cell); // rows between two labels
    for (int s = 0; s < router.steps(); s += every) {
      svg.text("tick", "end", LEFT - 5, TOP + s * cell + cell / 2.0 + 3, "" + s);
    }
    String before = "";
    double free = 0; // where the next label may begin
    for (int b = 0; b < router.branches().size(); b++) {
      String block = router.branches().get(b).replaceFirst("\\..*", "");
      double x = LEFT + b * cell;
      if (!block.equals(before) && x >= free) {
        svg.text("tick", "start", x, TOP - 5, block.replaceFirst("^block0*(?=\\d)", ""));
        free = x + 18;
      }
      before = block;
    }
  }

  /** Kinds of branches, in the order of their colours. */
  static List<String> kinds(Router router) {
    return router.branches().stream().map(RouterChart::kind).distinct().toList();
  }

  private static String kind(String branch) {
    return branch.substring(branch.indexOf('.') + 1);
  }
}
