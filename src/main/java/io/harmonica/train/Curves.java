package io.harmonica.train;

import io.harmonica.HarmonicaException;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Draws how a training went: loss and CUR by iteration, lambda by step, one above the other. */
final class Curves {
  private static final int WIDTH = 760;
  private static final int HEIGHT = 260;

  private Curves() {}

  /** The picture as a PNG file's bytes. */
  static byte[] png(TrainingLog log) {
    System.setProperty("java.awt.headless", "true");
    try {
      List<BufferedImage> charts = new ArrayList<>();
      charts.add(draw("loss", "iteration", log.series("loss"), true));
      charts.add(draw("CUR", "iteration", log.series("cur"), false));
      List<Double> lambda = log.lastLambda();
      if (!lambda.isEmpty()) {
        List<double[]> byStep =
            IntStream.range(1, lambda.size())
                .mapToObj(s -> new double[] {s, lambda.get(s)})
                .toList();
        charts.add(draw("lambda, last refresh", "step", byStep, true));
      }
      return stack(charts);
    } catch (IOException e) {
      throw new IllegalStateException(e);
    } catch (LinkageError | InternalError e) { // by the version of Java
      throw new HarmonicaException(
          "Java cannot draw text here (%s): install fontconfig and a font, for example DejaVu"
              .formatted(e.getMessage()),
          e);
    }
  }

  private static BufferedImage draw(
      String title, String axis, List<double[]> points, boolean logarithmic) {
    double[] x = points.stream().mapToDouble(point -> point[0]).toArray();
    double[] y = points.stream().mapToDouble(point -> point[1]).toArray();
    boolean positive = points.stream().allMatch(point -> point[1] > 0);
    XYChart chart =
        new XYChartBuilder().width(WIDTH).height(HEIGHT).title(title).xAxisTitle(axis).build();
    chart.getStyler().setLegendVisible(false).setChartBackgroundColor(Color.WHITE);
    chart.getStyler().setYAxisLogarithmic(logarithmic && positive);
    if (x.length > 0) {
      XYSeries series = chart.addSeries(title, x, y);
      series.setMarker(x.length == 1 ? SeriesMarkers.CIRCLE : SeriesMarkers.NONE);
    }
    return BitmapEncoder.getBufferedImage(chart);
  }

  private static byte[] stack(List<BufferedImage> charts) throws IOException {
    var all = new BufferedImage(WIDTH, HEIGHT * charts.size(), BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < charts.size(); i++) {
      all.createGraphics().drawImage(charts.get(i), 0, i * HEIGHT, null);
    }
    var bytes = new ByteArrayOutputStream();
    ImageIO.setUseCache(false);
    ImageIO.write(all, "png", bytes);
    return bytes.toByteArray();
  }
}
