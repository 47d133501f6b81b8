package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.InvalidProperty;
import io.harmonica.model.Resolution;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;

/**
 * The sizes that PixArt was trained at, by aspect ratio (PixArt-alpha, arXiv 2310.00426, appendix;
 * the tables of diffusers' pipelines): at others it draws less well.
 */
public final class AspectBins {
  private static final String TABLES = "aspect_ratio_bins.json";

  private AspectBins() {}

  /**
   * The size whose ratio of height to width is nearest, the first of two equally near.
   *
   * @param side of the square pictures that the model was trained for: 256, 512, 1024 or 2048
   * @throws IllegalArgumentException for another side: no table has it
   */
  public static Resolution nearest(int side, Resolution asked) {
    JsonNode table = tables().path(Integer.toString(side));
    if (!table.isObject()) {
      throw new InvalidProperty(
          "aspectBins",
          "has no sizes for a model of %d x %d pixels, only for 256, 512, 1024 and 2048; leave it out"
              .formatted(side, side));
    }
    double ratio = (double) asked.height() / asked.width();
    double smallest = Double.POSITIVE_INFINITY;
    Resolution nearest = asked;
    for (Map.Entry<String, JsonNode> bin : table.properties()) {
      double distance = Math.abs(Double.parseDouble(bin.getKey()) - ratio);
      if (distance < smallest) {
        smallest = distance;
        nearest = new Resolution(bin.getValue().path(0).asInt(), bin.getValue().path(1).asInt());
      }
    }
    return nearest;
  }

  private static JsonNode tables() {
    try (InputStream in = AspectBins.class.getResourceAsStream(TABLES)) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
