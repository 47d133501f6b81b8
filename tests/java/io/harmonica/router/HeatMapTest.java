package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.picture.ImageHeatMap;
import io.harmonica.picture.TextHeatMap;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.Arrays;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;

class HeatMapTest {
  private static final double[][] SCORES = {{1, 1, 1, 1}, {0.2, 0.6, 0.7, 0.85}, {0.5, 0, 1, 0.51}};

  private static Router router(int blocks, double[][] scores) {
    Router plain = Routers.of(Reuse.LAST, scores);
    return new Router(
        plain.name(),
        plain.model(),
        plain.sampler(),
        plain.steps(),
        plain.timesteps(),
        plain.threshold(),
        Routers.branches(blocks),
        scores,
        plain.reuse(),
        plain.training());
  }

  private static double[][] ones(int steps, int branches) {
    var scores = new double[steps][branches];
    Arrays.stream(scores).forEach(row -> Arrays.fill(row, 1));
    return scores;
  }

  @Test
  void text_table_showsStepsBlocksKindsAndShades() {
    assertThat(TextHeatMap.of(router(2, SCORES), 100))
        .isEqualTo(
            """
                    block  0  1
            step timestep  am am
               0      666  ██ ██
               1      333  ·░ ▒▓
               2        0  ·· █░

            ░▒▓█ computed, by score from 0.5 to 1   · reused   columns: a attention, m mlp
            """);
  }

  @Test
  void branchesUnderARun_areDashes() throws IOException {
    Router router =
        Routers.withRuns(Reuse.LAST, java.util.List.of(new Run(1, 2)), "xxxxx", "....x", "x..x.");
    assertThat(TextHeatMap.of(router, 100))
        .contains("0      666  ██ ██", "1      333  ·· ··", "2        0  █─ ─█")
        .contains("─ reused as one with its neighbours");
    BufferedImage image = ImageIO.read(new ByteArrayInputStream(ImageHeatMap.png(router)));
    assertThat(image.getRGB(100 + 20 + 2, 44 + 2 * 20 + 10)) // at a cell's edge, half down
        .isNotEqualTo(image.getRGB(100 + 20 + 2, 44 + 20 + 10));
  }

  @Test
  void text_wideModel_foldsBetweenBlocksWithinTheWidth() {
    String text = TextHeatMap.of(router(28, ones(2, 56)), 60);
    assertThat(text.lines().filter(line -> !line.contains("computed")))
        .allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(60));
    assertThat(text.lines().filter(line -> line.contains("step timestep"))).hasSize(2);
    assertThat(text.codePoints().filter(c -> c == '█')).hasSize(2 * 56 + 1); // and the legend's
    assertThat(text).contains(" 27");
  }

  @Test
  void png_cells_tellComputedFromReusedAndAttentionFromMlp() throws IOException {
    BufferedImage image =
        ImageIO.read(new ByteArrayInputStream(ImageHeatMap.png(router(2, SCORES))));
    Color attention = cell(image, 0, 0);
    Color mlp = cell(image, 0, 1);
    assertThat(attention.getBlue()).isGreaterThan(attention.getRed());
    assertThat(mlp.getRed()).isGreaterThan(mlp.getBlue());
    assertThat(cell(image, 0, 2)).isEqualTo(attention);
    assertThat(cell(image, 1, 0)).as("reused").isEqualTo(cell(image, 2, 1));
    assertThat(cell(image, 1, 0)).isNotEqualTo(attention);
    assertThat(cell(image, 1, 2).getRed()).as("paler").isGreaterThan(attention.getRed());
  }

  @Test
  void png_largestRouter_staysDrawable() throws IOException {
    BufferedImage image =
        ImageIO.read(new ByteArrayInputStream(ImageHeatMap.png(router(28, ones(1000, 56)))));
    assertThat(image.getHeight()).isBetween(4000, 4200);
  }

  /** The colour near a cell's corner, beside a reused cell's dot. */
  private static Color cell(BufferedImage image, int step, int branch) {
    return new Color(image.getRGB(100 + branch * 20 + 2, 44 + step * 20 + 2));
  }
}
