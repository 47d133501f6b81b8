package io.harmonica.calibration;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.DType;
import io.harmonica.checkpoint.Digest;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.model.Site;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * The file of what was observed of a model's activations: a safetensors file with a tensor {@code
 * largest/SITE} for each site, [in], and where they were wanted {@code moment/SITE}, the sum of
 * {@code x x^T} over all tokens, [in, in].
 */
public final class Ranges implements Observed, AutoCloseable {
  private static final String FORMAT = "harmonica-ranges/1";
  private static final String LARGEST = "largest/";
  private static final String MOMENT = "moment/";

  private final Checkpoint file;
  private final Notes notes;

  /**
   * What they were observed on.
   *
   * @param checkpoint the digest of the weights
   * @param pictures how many so far
   * @param asked how many there will be
   * @param settings of the trajectories, by name
   */
  public record Notes(String checkpoint, int pictures, int asked, Map<String, String> settings) {
    private static final String SETTING = "setting.";

    public Notes {
      settings = Map.copyOf(settings);
    }

    private Map<String, String> written() {
      Map<String, String> written = new LinkedHashMap<>();
      written.put("ranges", FORMAT);
      written.put("checkpoint", checkpoint);
      written.put("pictures", Integer.toString(pictures));
      written.put("asked", Integer.toString(asked));
      settings.forEach((name, value) -> written.put(SETTING + name, value));
      return written;
    }

    private static Notes read(Map<String, String> written) {
      Map<String, String> settings = new LinkedHashMap<>();
      written.forEach(
          (name, value) -> {
            if (name.startsWith(SETTING)) {
              settings.put(name.substring(SETTING.length()), value);
            }
          });
      return new Notes(
          written.getOrDefault("checkpoint", ""),
          Integer.parseInt(written.getOrDefault("pictures", "")),
          Integer.parseInt(written.getOrDefault("asked", "")),
          settings);
    }
  }

  private Ranges(Checkpoint file, Notes notes) {
    this.file = file;
    this.notes = notes;
  }

  /**
   * Opens one.
   *
   * @throws HarmonicaException if it is none
   */
  public static Ranges open(Path path) {
    Checkpoint file = Checkpoint.open(path);
    try {
      if (!FORMAT.equals(file.metadata().get("ranges"))) {
        throw new HarmonicaException(
            "%s has format %s, expected %s: make it with harmonica calibrate"
                .formatted(path, file.metadata().getOrDefault("ranges", "none"), FORMAT));
      }
      return new Ranges(file, Notes.read(file.metadata()));
    } catch (NumberFormatException e) {
      file.close();
      throw new HarmonicaException(
          "%s is damaged: it does not say of how many pictures it is; calibrate anew"
              .formatted(path),
          e);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** Writes one; another of its name is replaced. */
  public static void write(
      Path path, Notes notes, Map<Site, float[]> largest, Map<Site, float[]> moments) {
    Map<String, Floats> tensors = new LinkedHashMap<>();
    largest.forEach((site, x) -> tensors.put(LARGEST + site.name(), Floats.of(x, site.in())));
    moments.forEach(
        (site, x) -> tensors.put(MOMENT + site.name(), Floats.of(x, site.in(), site.in())));
    SafetensorsWriter.write(path, tensors, DType.F32, notes.written());
  }

  public Notes notes() {
    return notes;
  }

  /** What tells these from others, wherever they lie. */
  public String digest() {
    return Digest.of(file);
  }

  /**
   * Refuses those of another model.
   *
   * @param digest of the model's weights
   */
  public Ranges requireOf(String digest, List<Site> sites) {
    if (!notes.checkpoint.equals(digest)) {
      throw new HarmonicaException(
          "`ranges` %s is of a checkpoint with digest %s, this one has %s: calibrate this one"
              .formatted(file.path(), notes.checkpoint, digest));
    }
    for (Site site : sites) {
      if (!file.names().contains(LARGEST + site.name())
          || !file.tensor(LARGEST + site.name()).shape().equals(List.of((long) site.in()))) {
        throw new HarmonicaException(
            "`ranges` %s has no %d channels of %s: calibrate this model anew"
                .formatted(file.path(), site.in(), site.name()));
      }
    }
    return this;
  }

  /** Refuses those without the sum of products of a site that needs it. */
  @Override
  public Ranges requireMoments(List<Site> sites) {
    for (Site site : sites) {
      if (moment(site).isEmpty()) {
        throw new HarmonicaException(
            "`ranges` %s has no moments of %s: make it with harmonica calibrate and its `moments` all"
                .formatted(file.path(), site.name()));
      }
    }
    return this;
  }

  @Override
  public Ranges requireAllOf(String digest, List<Site> sites) {
    return requireWhole().requireOf(digest, sites);
  }

  /** Refuses those that a calibration has not finished. */
  public Ranges requireWhole() {
    if (notes.pictures < notes.asked) {
      throw new HarmonicaException(
          "`ranges` %s is of %d pictures so far, of %d: go on with harmonica calibrate and its `resume`"
              .formatted(file.path(), notes.pictures, notes.asked));
    }
    return this;
  }

  /** The largest number of each channel of a site: [in]. */
  @Override
  public float[] largest(Site site) {
    return file.tensor(LARGEST + site.name()).floats();
  }

  /**
   * The sum of {@code x x^T} of a site: [in, in], read when asked for; empty where it was not
   * wanted.
   *
   * @throws HarmonicaException if it is of another size
   */
  @Override
  public Optional<Supplier<float[]>> moment(Site site) {
    String name = MOMENT + site.name();
    if (!file.names().contains(name)) {
      return Optional.empty();
    }
    StoredTensor moment = file.tensor(name);
    if (!moment.shape().equals(List.of((long) site.in(), (long) site.in()))) {
      throw new HarmonicaException(
          "`ranges` %s has moments %s of %s, not %d channels by %d: calibrate this model anew"
              .formatted(file.path(), moment.shape(), site.name(), site.in(), site.in()));
    }
    return Optional.of(moment::floats);
  }

  @Override
  public void close() {
    file.close();
  }
}
