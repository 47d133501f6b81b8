package io.harmonica.features;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.runtime.OnnxFile;
import io.harmonica.runtime.OnnxFile.Values;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A network that turns pictures into features, from an ONNX file: input {@value #PICTURES}, fp32
 * {@code [n, channels, height, width]} in [-1, 1], outputs {@value #FEATURES} {@code [n, width]}
 * and, for class accuracy, {@value #LOGITS} {@code [n, classes]}.
 *
 * <p>Owns its session; {@link #close} ends it.
 */
public final class FeatureNetwork implements AutoCloseable {
  public static final String PICTURES = "pictures";
  public static final String FEATURES = "features";
  public static final String LOGITS = "logits";

  /** Pictures at a time. */
  static final int BATCH = 100;

  private final Path path;
  private final OnnxFile file;
  private final String digest;

  private FeatureNetwork(Path path, OnnxFile file, String digest) {
    this.path = path;
    this.file = file;
    this.digest = digest;
  }

  /** Opens a network; a file that is none of this form is refused. */
  public static FeatureNetwork open(Path path) {
    Library.ONNX_RUNTIME.require();
    Library.EJML.require(); // for the distance, which comes last
    OnnxFile file = OnnxFile.open(path);
    try {
      require(path, "input", file.inputs(), PICTURES, 4);
      if (file.inputs().size() > 1) {
        throw new HarmonicaException(
            "%s has inputs %s, expected '%s' alone"
                .formatted(path, String.join(", ", file.inputs().keySet()), PICTURES));
      }
      long fixed = file.inputs().get(PICTURES)[0];
      if (fixed != -1) {
        throw new HarmonicaException(
            "%s takes batches of %d alone, expected a free first dimension of '%s': export it with a dynamic batch"
                .formatted(path, fixed, PICTURES));
      }
      require(path, "output", file.outputs(), FEATURES, 2);
      if (file.outputs().containsKey(LOGITS)) {
        require(path, "output", file.outputs(), LOGITS, 2);
      }
      return new FeatureNetwork(path, file, digest(path));
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** SHA-256 of the file, in hex. */
  public String digest() {
    return digest;
  }

  /** Runs pictures through the network, clamped to [-1, 1] but not rounded to 8 bits. */
  public Features of(Latents pictures) {
    Pictures.requirePixels(pictures);
    requireSize(pictures);
    boolean classifies = file.outputs().containsKey(LOGITS);
    Set<String> wanted = classifies ? Set.of(FEATURES, LOGITS) : Set.of(FEATURES);
    Features all = null;
    for (int from = 0; from < pictures.count(); from += BATCH) {
      int to = Math.min(pictures.count(), from + BATCH);
      Map<String, Values> made = file.run(PICTURES, input(pictures, from, to), wanted);
      Features some =
          new Features(
              digest,
              rows(FEATURES, made.get(FEATURES), from, to),
              classifies
                  ? Optional.of(rows(LOGITS, made.get(LOGITS), from, to))
                  : Optional.empty());
      all = all == null ? some : all.and(some);
    }
    return all;
  }

  private static Values input(Latents pictures, int from, int to) {
    int size = pictures.sampleSize();
    float[] values = new float[(to - from) * size];
    for (int i = 0; i < values.length; i++) {
      float value = pictures.values()[from * size + i];
      if (Float.isNaN(value)) {
        throw new HarmonicaException(
            "picture %d holds NaN, so it has no features; check the checkpoint and its precision"
                .formatted(from + i / size));
      }
      values[i] = Math.max(-1f, Math.min(1f, value));
    }
    long[] shape = {to - from, pictures.channels(), pictures.height(), pictures.width()};
    return new Values(values, shape);
  }

  private double[][] rows(String output, Values values, int from, int to) {
    int count = to - from;
    if (values.shape().length != 2 || values.shape()[0] != count || values.values().length == 0) {
      throw new HarmonicaException(
          "%s gave '%s' as %s for %d pictures, expected [%d, width]"
              .formatted(path, output, Arrays.toString(values.shape()), count, count));
    }
    double[][] rows = new double[count][values.values().length / count];
    for (int i = 0; i < values.values().length; i++) {
      float value = values.values()[i];
      int row = i / rows[0].length;
      if (!Float.isFinite(value)) {
        throw new HarmonicaException(
            "%s gave %s in '%s' for picture %d, expected finite numbers"
                .formatted(path, value, output, from + row));
      }
      rows[row][i % rows[0].length] = value;
    }
    return rows;
  }

  private void requireSize(Latents pictures) {
    long[] shape = file.inputs().get(PICTURES);
    long[] given = {shape[0], pictures.channels(), pictures.height(), pictures.width()};
    for (int d = 1; d < 4; d++) {
      if (shape[d] != -1 && shape[d] != given[d]) {
        throw new HarmonicaException(
            "%s takes pictures of %s (channels, height, width), these are %d x %d x %d: use a network for this size"
                .formatted(path, dimensions(shape), given[1], given[2], given[3]));
      }
    }
  }

  private static String dimensions(long[] shape) {
    return Arrays.stream(shape)
        .skip(1)
        .mapToObj(d -> d == -1 ? "any" : Long.toString(d))
        .reduce((a, b) -> a + " x " + b)
        .orElseThrow();
  }

  private static void require(
      Path path, String kind, Map<String, long[]> has, String name, int rank) {
    if (!has.containsKey(name)) {
      throw new HarmonicaException(
          "%s has no fp32 %s '%s', it has %s: name the %s so when exporting the network"
              .formatted(
                  path,
                  kind,
                  name,
                  has.isEmpty() ? "none" : String.join(", ", has.keySet()),
                  kind));
    }
    if (has.get(name).length != rank) {
      throw new HarmonicaException(
          "%s has %s '%s' of shape %s, expected %d dimensions"
              .formatted(path, kind, name, Arrays.toString(has.get(name)), rank));
    }
  }

  private static String digest(Path path) {
    try {
      MessageDigest sha256 = MessageDigest.getInstance("SHA-256");
      return HexFormat.of().formatHex(sha256.digest(Files.readAllBytes(path)));
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(path, AtomicFile.reason(e)), e);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
