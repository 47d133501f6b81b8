package io.harmonica.compare;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Optional;

/**
 * A comparison, ready to be told: as a table for the terminal, as JSON and as an HTML page.
 *
 * @param title of the page
 * @param summary one or two sentences: what was generated, and how
 * @param variants the first is A, which speedups and quality are to
 * @param rounds how often each variant ran
 * @param command the command line that repeats the comparison
 */
public record Report(
    String title,
    String summary,
    List<Entry> variants,
    int rounds,
    Machine machine,
    String command) {
  public Report {
    variants = List.copyOf(variants);
    if (variants.isEmpty()) {
      throw new IllegalArgumentException("a report needs at least one variant");
    }
  }

  /**
   * A variant of the report.
   *
   * @param description what it does, in a few words
   * @param cur cache utilisation ratio, 0..1
   * @param theoreticalSpeedup to A, by FLOPs
   * @param psnrDecibels mean to A's pictures; infinite if they are identical
   * @param ssim mean to A's pictures
   * @param sheet its pictures
   * @param heatMap its router's table, as a PNG file's bytes
   */
  public record Entry(
      String name,
      String description,
      double cur,
      double theoreticalSpeedup,
      Latency latency,
      Speedup speedup,
      double psnrDecibels,
      double ssim,
      Optional<BufferedImage> sheet,
      Optional<byte[]> heatMap) {

    /** What was measured of a variant, against what was measured of A. */
    public static Entry of(
        Measurement measurement,
        Measurement a,
        String description,
        double cur,
        double theoreticalSpeedup,
        long seed) {
      Quality quality = measurement.qualityTo(a);
      return new Entry(
          measurement.name(),
          description,
          cur,
          theoreticalSpeedup,
          measurement.latency(),
          measurement.speedupTo(a, seed),
          quality.meanPsnrDecibels(),
          quality.meanSsim(),
          Optional.empty(),
          Optional.empty());
    }

    public Entry withImages(Optional<BufferedImage> sheet, Optional<byte[]> heatMap) {
      return new Entry(
          name,
          description,
          cur,
          theoreticalSpeedup,
          latency,
          speedup,
          psnrDecibels,
          ssim,
          sheet,
          heatMap);
    }

    /** The part of the theoretical speedup that the clock confirms; 1 is all of it. */
    public double realised() {
      return speedup.value() / theoreticalSpeedup;
    }

    boolean identical() {
      return Double.isInfinite(psnrDecibels);
    }
  }

  /** The numbers as JSON. {@code psnr} in decibels is null where the pictures are identical. */
  public ObjectNode json() {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("title", title).put("summary", summary).put("command", command).put("rounds", rounds);
    root.putObject("machine")
        .put("cpu", machine.cpu())
        .put("cores", machine.cores())
        .put("memoryBytes", machine.memoryBytes())
        .put("os", machine.os())
        .put("jdk", machine.jdk())
        .put("runtime", machine.runtime());
    ArrayNode array = root.putArray("variants");
    for (Entry entry : variants) {
      ObjectNode node = array.addObject();
      node.put("name", entry.name()).put("description", entry.description());
      node.putObject("latencyMillis")
          .put("p50", rounded(entry.latency().p50Millis()))
          .put("p90", rounded(entry.latency().p90Millis()))
          .put("p99", rounded(entry.latency().p99Millis()));
      node.putObject("speedup")
          .put("value", rounded(entry.speedup().value()))
          .put("low", rounded(entry.speedup().low()))
          .put("high", rounded(entry.speedup().high()))
          .put("least", rounded(entry.speedup().least()))
          .put("most", rounded(entry.speedup().most()));
      node.put("theoreticalSpeedup", rounded(entry.theoreticalSpeedup()))
          .put("realised", rounded(entry.realised()))
          .put("cur", rounded(entry.cur()));
      if (entry.identical()) {
        node.putNull("psnr");
      } else {
        node.put("psnr", rounded(entry.psnrDecibels()));
      }
      node.put("ssim", rounded(entry.ssim()));
    }
    return root;
  }

  /** The numbers as a table of at most 100 columns, for a terminal. */
  public String table() {
    return ReportTable.of(this);
  }

  /** One HTML page that needs no other file. */
  public String page() {
    return ReportPage.of(this);
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4; // more digits are noise
  }
}
