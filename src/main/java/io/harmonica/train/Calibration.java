package io.harmonica.train;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.calibration.Ranges;
import io.harmonica.model.Site;
import io.harmonica.torch.ObservingOps;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Purpose;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Observes a model's activations on trajectories of its own, from noise and random labels or the
 * captions given: no pictures are needed. Nothing is cached; measured, it makes no difference.
 */
public final class Calibration {
  private static final double SAVE_SECONDS = 20;

  private final Task task;
  private final Denoising denoising;
  private final ObservingOps ops;
  private final List<Site> sites;
  private final Options options;
  private final Progress progress;

  /**
   * How much is observed.
   *
   * @param pictures from 1 [16]
   * @param batch pictures that go together, from 1 [4]
   * @param every which step is looked at, from the first on, and the last one; from 1 [4]
   * @param seed of labels and noise [0]
   * @param moments which sites' products are summed, in a word
   */
  public record Options(int pictures, int batch, int every, long seed, String moments) {
    public Options {
      positive("pictures", pictures);
      positive("batch", batch);
      positive("every", every);
    }

    private static void positive(String property, int value) {
      if (value < 1) {
        throw new InvalidProperty(property, "%d must be positive".formatted(value));
      }
    }
  }

  /**
   * Of a task.
   *
   * @param denoising of the task, in libtorch's numbers
   * @param ops that observes, round the interpreter of these
   */
  public Calibration(
      Task task, Denoising denoising, ObservingOps ops, Options options, Progress progress) {
    this.task = task;
    this.denoising = denoising.in(ops, denoising.precision());
    this.ops = ops;
    this.sites = Site.of(task.model());
    this.options = options;
    this.progress = progress;
  }

  /**
   * Observes, and writes the file: now and then, too.
   *
   * @param trajectory that the denoising takes
   * @param resume what an earlier run left
   * @throws HarmonicaException if that is of another run, or the model makes no numbers
   */
  public void run(TrainOptions.Trajectory trajectory, Optional<Path> resume, Path out) {
    Map<String, String> settings = settings(trajectory);
    int done = resume.map(file -> resumed(file, settings)).orElse(0);
    int steps = (options.pictures - done + options.batch - 1) / options.batch * denoising.steps();
    progress.begin("calibrating", steps);
    double saved = System.nanoTime() / 1e9;
    while (done < options.pictures) {
      int pictures = Math.min(options.batch, options.pictures - done);
      observe(denoising.draw(pictures, Purpose.CALIBRATING.seed(options.seed, done)));
      done += pictures;
      if (done == options.pictures || System.nanoTime() / 1e9 - saved > SAVE_SECONDS) {
        save(new Ranges.Notes(task.digest(), done, options.pictures, settings), out);
        saved = System.nanoTime() / 1e9;
      }
    }
  }

  private void observe(Batch batch) {
    try (Walk walk = Walk.start(denoising, batch, 0, 0)) {
      while (!walk.done()) {
        int step = walk.step();
        ops.observe(step % options.every == 0 || step == denoising.steps() - 1);
        denoising.advance(walk, at -> Substitute.NONE);
        progress.advance("%d pictures at once".formatted(batch.pictures()));
      }
    }
  }

  private void save(Ranges.Notes notes, Path out) {
    Map<Site, float[]> largest = ops.largest();
    for (Site site : sites) {
      for (float value : largest.get(site)) {
        if (!Float.isFinite(value)) {
          throw new HarmonicaException(
              "the model makes %s where %s reads: no scale fits that; is the checkpoint whole?"
                  .formatted(value, site.name()));
        }
      }
    }
    Ranges.write(out, notes, largest, ops.moments());
  }

  private int resumed(Path file, Map<String, String> settings) {
    try (Ranges before = Ranges.open(file)) {
      before.requireOf(task.digest(), sites);
      Map<String, String> then = before.notes().settings();
      for (String name : settings.keySet()) {
        if (!settings.get(name).equals(then.get(name))) {
          throw new HarmonicaException(
              "`resume` %s was observed with %s %s, not %s: give the same options"
                  .formatted(file, name, then.get(name), settings.get(name)));
        }
      }
      Map<Site, float[]> largest = new HashMap<>();
      Map<Site, float[]> moments = new HashMap<>();
      for (Site site : sites) {
        largest.put(site, before.largest(site));
        before.moment(site).ifPresent(moment -> moments.put(site, moment.get()));
      }
      if (before.notes().pictures() >= options.pictures) {
        throw new HarmonicaException(
            "`resume` %s is of %d pictures already, no fewer than `pictures` %d: ask for more"
                .formatted(file, before.notes().pictures(), options.pictures));
      }
      ops.goOn(largest, moments);
      return before.notes().pictures();
    }
  }

  private Map<String, String> settings(TrainOptions.Trajectory trajectory) {
    Map<String, String> settings = new TreeMap<>();
    settings.put("sampler", trajectory.sampler());
    settings.put("steps", Integer.toString(trajectory.steps()));
    settings.put("spacing", trajectory.spacing());
    settings.put("resolution", task.model().io().resolution().toString());
    settings.put("guidance", Double.toString(trajectory.guidance()));
    settings.put("guidanceChannels", Integer.toString(trajectory.guidanceChannels()));
    settings.put("every", Integer.toString(options.every));
    settings.put("seed", Long.toString(options.seed));
    settings.put("moments", options.moments);
    task.captions().ifPresent(captions -> settings.put("captionsDigest", captions.digest()));
    return settings;
  }
}
