package io.harmonica.picture;

import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Draws a router's table with block characters: a row a step, a column a branch. */
public final class TextHeatMap {
  private static final String COMPUTED = "░▒▓█"; // by score, from the threshold to 1
  private static final char REUSED = '·';
  private static final char UNDER_RUN = '─';
  private static final String MARGIN = "%4s %8s  "; // step, timestep

  private TextHeatMap() {}

  /**
   * Draws the table, folded into several where the blocks do not fit side by side.
   *
   * @param width characters of a line
   */
  public static String of(Router router, int width) {
    int room = width - String.format(MARGIN, "", "").length();
    var text = new StringBuilder();
    var fold = new ArrayList<Integer>(); // branches of the table under way
    int used = 0;
    for (List<Integer> block : blocks(router)) {
      if (!fold.isEmpty() && used + block.size() + 1 > room) {
        append(text, router, fold);
        fold.clear();
        used = 0;
      }
      fold.addAll(block);
      used += block.size() + 1;
    }
    append(text, router, fold);
    return text.append(legend(router)).toString();
  }

  /** The branches of each block. */
  private static List<List<Integer>> blocks(Router router) {
    var blocks = new ArrayList<List<Integer>>();
    for (int b = 0; b < router.branches().size(); b++) {
      if (startsBlock(router, b)) {
        blocks.add(new ArrayList<>());
      }
      blocks.get(blocks.size() - 1).add(b);
    }
    return blocks;
  }

  private static boolean startsBlock(Router router, int branch) {
    return branch == 0
        || !Policy.block(router.branches().get(branch))
            .equals(Policy.block(router.branches().get(branch - 1)));
  }

  private static void append(StringBuilder text, Router router, List<Integer> fold) {
    var numbers = new StringBuilder();
    var kinds = new StringBuilder();
    for (int b : fold) {
      boolean first = startsBlock(router, b);
      if (first && b != fold.get(0)) {
        kinds.append(' ');
      }
      if (first && numbers.length() <= kinds.length()) {
        numbers.append(" ".repeat(kinds.length() - numbers.length()));
        numbers.append(Policy.block(router.branches().get(b)).replaceFirst("^block0*(?=\\d)", ""));
      }
      kinds.append(kind(router.branches().get(b)));
    }
    line(text, "", "block", numbers);
    line(text, "step", "timestep", kinds);
    for (int s = 0; s < router.steps(); s++) {
      var cells = new StringBuilder();
      for (int b : fold) {
        cells.append(b != fold.get(0) && startsBlock(router, b) ? " " : "");
        cells.append(cell(router, s, b));
      }
      line(text, "" + s, fitting(router.timesteps().text(s)), cells);
    }
    text.append('\n');
  }

  /** A decimal timestep without the digits that its column has no room for. */
  private static String fitting(String timestep) {
    return timestep.substring(0, Math.min(timestep.length(), "timestep".length()));
  }

  private static void line(StringBuilder text, String step, String timestep, CharSequence cells) {
    text.append((String.format(MARGIN, step, timestep) + cells).stripTrailing()).append('\n');
  }

  private static char kind(String branch) {
    return branch.charAt(branch.indexOf('.') + 1);
  }

  private static char cell(Router router, int step, int branch) {
    if (!router.computes(step, branch)) {
      return router.isUnderRun(step, branch) ? UNDER_RUN : REUSED;
    }
    double above = router.score(step, branch) - router.threshold();
    int shade = (int) (COMPUTED.length() * above / (1 - router.threshold()));
    return COMPUTED.charAt(Math.min(shade, COMPUTED.length() - 1));
  }

  private static String legend(Router router) {
    var kinds = new ArrayList<String>();
    for (String branch : router.branches()) {
      String kind = "%s %s".formatted(kind(branch), branch.substring(branch.indexOf('.') + 1));
      if (!kinds.contains(kind)) {
        kinds.add(kind);
      }
    }
    return String.format(
        Locale.ROOT,
        "%s computed, by score from %s to 1   %s reused%s   columns: %s%n",
        COMPUTED,
        router.threshold(),
        REUSED,
        router.runs().isEmpty() ? "" : "   " + UNDER_RUN + " reused as one with its neighbours",
        String.join(", ", kinds));
  }
}
