package io.harmonica.whole;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.sampler.Sampler;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A trajectory that a server runs by itself: what its steps are, without what a client chooses.
 *
 * <p>For example, {@code shapes-dit.taylor-2} takes noise, labels and the scale of guidance, and
 * answers pictures.
 *
 * @param router its name, {@link Names#NO_ROUTER} for uncached steps
 * @param call all its steps
 * @param numbers of each step, as the step engine takes them
 */
public record WholePicture(
    Manifest manifest,
    String router,
    Sampler sampler,
    Stretch stretch,
    Program.Call call,
    List<float[]> numbers) {

  public WholePicture {
    numbers = List.copyOf(numbers);
  }

  /** The uncached steps of the model's default sampler, {@link Program#DEFAULT_STEPS}. */
  public static WholePicture uncached(Manifest manifest) {
    int steps = Program.DEFAULT_STEPS;
    Sampler sampler = manifest.sampling().sampler(manifest.sampler(), steps, Optional.empty());
    Schedule schedule = Schedule.uncached(manifest.branches().size(), steps);
    return of(manifest, Names.NO_ROUTER, sampler, schedule);
  }

  /**
   * The steps of a router.
   *
   * @throws HarmonicaException if its sampler's steps are no numbers, as those with fresh noise
   */
  public static WholePicture of(Manifest manifest, Router router) {
    Sampler sampler =
        manifest.sampling().following(router.name(), router.sampler(), router.timesteps());
    return of(manifest, router.name(), sampler, Schedule.of(router));
  }

  private static WholePicture of(
      Manifest manifest, String router, Sampler sampler, Schedule schedule) {
    int steps = schedule.steps().size();
    String name = Names.picture(manifest.model(), router);
    if (router.endsWith("." + Names.SEED)) {
      throw new HarmonicaException(
          "router %s has the name of another's pictures from a seed: give it another name, or leave it out of `picture`"
              .formatted(router));
    }
    if (steps == 1) {
      throw new HarmonicaException(
          "router %s has a single step, which one request makes anyway: leave it out of `picture`"
              .formatted(router));
    }
    Stretch stretch = schedule.stretch(0, steps).stretch();
    Program program = Program.of(schedule, steps, manifest.branches(), Map.of(name, stretch));
    return new WholePicture(
        manifest,
        router,
        sampler,
        stretch,
        program.calls().get(0),
        numbers(manifest, router, sampler));
  }

  private static List<float[]> numbers(Manifest manifest, String router, Sampler sampler) {
    List<float[]> numbers = new ArrayList<>();
    for (int step = 0; step < sampler.timesteps().size(); step++) {
      numbers.add(
          manifest
              .steps()
              .numbers(sampler, step)
              .orElseThrow(
                  () ->
                      new HarmonicaException(
                          "%s of model %s cannot be a picture in one request: no engine makes the steps of its sampler (those of %s are made): leave it out of `picture`, and draw it step by step"
                              .formatted(
                                  router.equals(Names.NO_ROUTER)
                                      ? "the uncached steps"
                                      : "router " + router,
                                  manifest.model(),
                                  String.join(", ", manifest.steps().samplers())))));
    }
    return numbers;
  }

  /** The name of its ensemble. */
  public String name() {
    return Names.picture(manifest.model(), router);
  }

  /** Whether guidance takes a second row for a picture, of what it leads away from. */
  public boolean guides() {
    return manifest.unconditional().guides() && !isToldGuidance();
  }

  /** Whether the model itself takes the scale of guidance. */
  boolean isToldGuidance() {
    return manifest.shows().guided();
  }

  /** Whether texts come as tokens: one encoder embeds them, and all that it gives is taken. */
  boolean embeds() {
    return manifest.text() != null && manifest.text().encoder() != null;
  }

  /** Whether a server makes pixels of the latents; else it answers latents only. */
  public boolean drawsPictures() {
    return whyLatents().isEmpty();
  }

  /** Why a server makes no pixels of the latents; empty where it does. */
  public String whyLatents() {
    boolean pixels = manifest.channels() == 1 || manifest.channels() == 3;
    if (manifest.decoder() == null && !pixels) {
      return "the model has no decoder";
    }
    if (manifest.decoder() != null
        && Math.max(manifest.height(), manifest.width()) > manifest.decoder().tile()) {
      return "they are decoded in tiles";
    }
    return manifest.picture() == null ? "" : "pictures are resized";
  }
}
