package io.harmonica.picture;

import io.harmonica.HarmonicaException;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.List;
import javax.imageio.ImageIO;

/**
 * Draws a router's table as a picture: a row a step, a column a branch; a computed cell in its
 * kind's colour, the darker the higher its score, a reused one as a small dot, one under a run as a
 * dash.
 */
public final class ImageHeatMap {
  private static final int LEFT = 100;
  private static final int TOP = 44;
  private static final int MARGIN = 16;
  private static final int LEGEND = 28;
  private static final int WIDEST = 1600; // cells shrink to stay within it
  private static final Font FONT = new Font(Font.SANS_SERIF, Font.PLAIN, 11);

  /** By kind of branch, in order of first appearance: blue, orange, green. */
  private static final List<Color> COLOURS =
      List.of(new Color(0x1F5FA8), new Color(0xC8601A), new Color(0x2E7D4F));

  private final Router router;
  private final List<String> kinds;
  private final int cell;

  private ImageHeatMap(Router router) {
    this.router = router;
    kinds = router.branches().stream().map(ImageHeatMap::kind).distinct().toList();
    int longest = Math.max(router.branches().size(), router.steps());
    cell = Math.max(4, Math.min(20, WIDEST / longest));
  }

  /** The picture as a PNG file's bytes. */
  public static byte[] png(Router router) {
    System.setProperty("java.awt.headless", "true");
    var bytes = new ByteArrayOutputStream();
    try {
      ImageIO.setUseCache(false);
      ImageIO.write(new ImageHeatMap(router).draw(), "png", bytes);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (LinkageError | InternalError | RuntimeException e) { // by the version of Java
      throw new HarmonicaException(
          "Java cannot draw text here (%s): install fontconfig and a font, for example DejaVu"
              .formatted(e.getMessage()),
          e);
    }
    return bytes.toByteArray();
  }

  private BufferedImage draw() {
    int width = Math.max(LEFT + router.branches().size() * cell + MARGIN, 460);
    int height = TOP + router.steps() * cell + LEGEND + MARGIN;
    var image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D pen = image.createGraphics();
    try {
      pen.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
      pen.setRenderingHint(
          RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      pen.setFont(FONT);
      pen.setColor(Color.WHITE);
      pen.fillRect(0, 0, width, height);
      drawAxes(pen);
      for (int s = 0; s < router.steps(); s++) {
        for (int b = 0; b < router.branches().size(); b++) {
          int x = LEFT + b * cell;
          drawCell(pen, x, TOP + s * cell, colour(b), score(s, b));
          if (router.isUnderRun(s, b)) {
            drawDash(pen, x, TOP + s * cell, colour(b));
          }
        }
      }
      drawLegend(pen, TOP + router.steps() * cell + LEGEND - 6);
    } finally {
      pen.dispose();
    }
    return image;
  }

  /** How far above the threshold, in (0, 1]; 0 for a reused branch. */
  private double score(int step, int branch) {
    double above = router.score(step, branch) - router.threshold();
    return router.computes(step, branch) ? above / (1 - router.threshold()) : 0;
  }

  private void drawCell(Graphics2D pen, int x, int y, Color colour, double score) {
    int gap = cell > 6 ? 1 : 0;
    if (score > 0) {
      pen.setColor(mix(colour, 0.3 + 0.7 * score));
      pen.fillRect(x, y, cell - gap, cell - gap);
    } else {
      pen.setColor(new Color(0xF1F1F1));
      pen.fillRect(x, y, cell - gap, cell - gap);
      int dot = Math.max(1, cell / 5);
      pen.setColor(mix(colour, 0.5));
      pen.fillOval(x + (cell - gap - dot) / 2, y + (cell - gap - dot) / 2, dot, dot);
    }
  }

  private void drawDash(Graphics2D pen, int x, int y, Color colour) {
    int thick = Math.max(1, cell / 5);
    pen.setColor(mix(colour, 0.5));
    pen.fillRect(x, y + (cell - thick) / 2, cell, thick);
  }

  private void drawAxes(Graphics2D pen) {
    pen.setColor(Color.DARK_GRAY);
    pen.drawString("block", LEFT, 14);
    pen.drawString("step  timestep", 4, TOP - 6);
    int free = LEFT; // where the next block number may start
    for (int b = 0; b < router.branches().size(); b++) {
      String block = Policy.block(router.branches().get(b)).replaceFirst("^block0*(?=\\d)", "");
      int x = LEFT + b * cell;
      boolean first =
          b == 0
              || !Policy.block(router.branches().get(b - 1))
                  .equals(Policy.block(router.branches().get(b)));
      if (first && x >= free) {
        pen.drawString(block, x, TOP - 14);
        free = x + pen.getFontMetrics().stringWidth(block) + 6;
      }
      pen.setColor(colour(b));
      pen.fillRect(x, TOP - 8, cell - 1, 3);
      pen.setColor(Color.DARK_GRAY);
    }
    int every = (int) Math.ceil(12.0 / cell); // rows between two labels
    for (int s = 0; s < router.steps(); s += every) {
      int y = TOP + s * cell + cell / 2 + 4;
      pen.drawString("" + s, 8, y);
      pen.drawString(router.timesteps().text(s), 48, y);
    }
  }

  private void drawLegend(Graphics2D pen, int y) {
    int x = LEFT;
    for (String kind : kinds) {
      Color colour = COLOURS.get(kinds.indexOf(kind) % COLOURS.size());
      drawCell(pen, x, y - cell / 2 - 4, colour, 1);
      pen.setColor(Color.DARK_GRAY);
      pen.drawString(kind, x + cell + 4, y);
      x += cell + 16 + pen.getFontMetrics().stringWidth(kind);
    }
    drawCell(pen, x, y - cell / 2 - 4, Color.GRAY, 0);
    pen.setColor(Color.DARK_GRAY);
    String dash = router.runs().isEmpty() ? "" : ", dashes: as one with its neighbours";
    pen.drawString("reused%s   (darker: higher score)".formatted(dash), x + cell + 4, y);
  }

  private Color colour(int branch) {
    return COLOURS.get(kinds.indexOf(kind(router.branches().get(branch))) % COLOURS.size());
  }

  private static String kind(String branch) {
    return branch.substring(branch.indexOf('.') + 1);
  }

  private static Color mix(Color colour, double share) {
    return new Color(
        mix(colour.getRed(), share), mix(colour.getGreen(), share), mix(colour.getBlue(), share));
  }

  private static int mix(int component, double share) {
    return (int) Math.round(255 + (component - 255) * share);
  }
}
