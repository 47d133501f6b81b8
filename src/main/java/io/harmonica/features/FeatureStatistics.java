package io.harmonica.features;

import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Mean and covariance of a set's features: all that a Fréchet distance needs of the set. The file
 * is JSON, the covariance as its lower triangle.
 *
 * @param format {@value #FORMAT}
 * @param network digest of the network's file
 * @param count pictures in the set
 * @param mean {@code [width]}
 * @param covariance row i has the i + 1 values up to the diagonal; unbiased, divided by count - 1
 */
@JsonPropertyOrder({"format", "network", "count", "mean", "covariance"})
public record FeatureStatistics(
    String format, String network, int count, double[] mean, double[][] covariance) {
  public static final String FORMAT = "harmonica-features/1";

  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_MISSING_CREATOR_PROPERTIES)
          .enable(DeserializationFeature.FAIL_ON_NULL_CREATOR_PROPERTIES)
          .build();

  /** Refuses what is no statistics, with an {@link IllegalArgumentException}. */
  public FeatureStatistics {
    if (!format.equals(FORMAT)) {
      throw new IllegalArgumentException("format is '%s', expected '%s'".formatted(format, FORMAT));
    }
    if (count < 2) {
      throw new IllegalArgumentException(
          "count is %d, expected at least 2: a covariance needs as many".formatted(count));
    }
    if (mean.length == 0 || covariance.length != mean.length) {
      throw new IllegalArgumentException(
          "covariance has %d rows for a mean of %d values, expected as many"
              .formatted(covariance.length, mean.length));
    }
    for (int i = 0; i < mean.length; i++) {
      requireFinite("mean[" + i + "]", mean[i]);
      if (covariance[i].length != i + 1) {
        throw new IllegalArgumentException(
            "covariance[%d] has %d values, expected %d: the row up to its diagonal"
                .formatted(i, covariance[i].length, i + 1));
      }
      for (int j = 0; j <= i; j++) {
        requireFinite("covariance[%d][%d]".formatted(i, j), covariance[i][j]);
      }
    }
  }

  /**
   * Statistics of the PNG files of a folder, all of one size; a contact sheet {@code sheet.png}
   * does not count.
   */
  public static FeatureStatistics of(FeatureNetwork network, Path pictures) {
    PictureFolder folder = PictureFolder.of(pictures);
    Moments moments = null;
    for (int from = 0; from < folder.files().size(); from += FeatureNetwork.BATCH) {
      int to = Math.min(folder.files().size(), from + FeatureNetwork.BATCH);
      Features some = network.of(folder.read(from, to));
      moments = moments == null ? new Moments(some.width()) : moments;
      for (double[] row : some.values()) {
        moments.add(row, 1);
      }
    }
    return moments.statistics(network.digest());
  }

  /** Statistics of pictures' features, a row each. */
  static FeatureStatistics of(String network, List<double[]> rows) {
    Moments moments = new Moments(rows.get(0).length);
    rows.forEach(row -> moments.add(row, 1));
    return moments.statistics(network);
  }

  public int width() {
    return mean.length;
  }

  /**
   * Whether there are pictures enough for a covariance of full rank. With fewer a distance says
   * more of their number than of the pictures.
   */
  public boolean fullRank() {
    return count > width();
  }

  /** Writes the file whole or not at all. */
  public void write(Path file) {
    try {
      AtomicFile.write(
          file, (JSON.writeValueAsString(this) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Reads a file; any fault in it is a {@link HarmonicaException} that names it. */
  public static FeatureStatistics read(Path file) {
    try {
      return JSON.readValue(Files.readAllBytes(file), FeatureStatistics.class);
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s holds no statistics of features: %s; write them with bin/harmonica features"
              .formatted(file, e.getOriginalMessage().lines().findFirst().orElse("no JSON")),
          e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read statistics %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  /** Refuses statistics of another network, whose features mean something else. */
  void requireComparable(FeatureStatistics other) {
    if (!network.equals(other.network) || width() != other.width()) {
      throw new HarmonicaException(
          "statistics are of two networks, %s and %s (SHA-256), with %d and %d features: make both with one"
              .formatted(brief(network), brief(other.network), width(), other.width()));
    }
  }

  private static String brief(String digest) {
    return digest.substring(0, Math.min(12, digest.length()));
  }

  private static void requireFinite(String where, double value) {
    if (!Double.isFinite(value)) {
      throw new IllegalArgumentException(
          "%s is %s, expected a finite number".formatted(where, value));
    }
  }
}
