package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.generate.Embeddings;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * The golden vectors: numbers that diffusers and the reference repositories computed, in {@code
 * -Dgolden=DIR}. Everything a test needs of them, sizes included, it reads from them.
 */
public final class Golden {
  private Golden() {}

  public static Path path(String name) {
    return Path.of(System.getProperty("golden", "tests/golden")).resolve(name);
  }

  public static Checkpoint open(String name) {
    return Checkpoint.open(path(name));
  }

  public static JsonNode json(String name) {
    try {
      return new ObjectMapper().readTree(path(name).toFile());
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  public static float[] floats(Checkpoint vectors, String name) {
    return vectors.tensor(name).floats();
  }

  public static long[] longs(Checkpoint vectors, String name) {
    return vectors.tensor(name).longs();
  }

  /**
   * Embedded texts, of which every token counts.
   *
   * @param states name of the tokens' tensor (B, T, width)
   * @param pooled name of the whole texts' (B, pooled width)
   */
  public static Embeddings texts(Checkpoint vectors, String states, String pooled) {
    int count = size(vectors, states, 0);
    int tokens = size(vectors, states, 1);
    long[] mask = new long[count * tokens];
    Arrays.fill(mask, 1);
    return new Embeddings(
        floats(vectors, states),
        mask,
        count,
        tokens,
        size(vectors, states, 2),
        floats(vectors, pooled));
  }

  public static int size(Checkpoint vectors, String name, int dimension) {
    return Math.toIntExact(vectors.tensor(name).shape().get(dimension));
  }

  public static List<Integer> integers(JsonNode array) {
    return java.util.stream.StreamSupport.stream(array.spliterator(), false)
        .map(JsonNode::asInt)
        .toList();
  }

  /** Largest absolute difference at most {@code tolerance}. */
  public static void assertClose(String what, float[] actual, float[] expected, double tolerance) {
    assertThat(actual).as(what).hasSameSizeAs(expected);
    assertThat(difference(actual, expected)).as(what).isLessThanOrEqualTo(tolerance);
  }

  public static double difference(float[] a, float[] b) {
    double largest = 0;
    for (int i = 0; i < a.length; i++) {
      double difference = Math.abs((double) a[i] - b[i]);
      largest = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(largest, difference);
    }
    return largest;
  }

  /** The stated tolerance of a trajectory: {@code 2e-5 * max(1, max |x|)}. */
  public static double trajectoryTolerance(float[] x) {
    double largest = 1;
    for (float value : x) {
      largest = Math.max(largest, Math.abs(value));
    }
    return 2e-5 * largest;
  }
}
