package io.harmonica.sampler;

import io.harmonica.HarmonicaException;
import io.harmonica.sampler.SchedulerFields.Followed;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a diffusers {@code scheduler_config.json} says: what the model was trained on, and the
 * sampler that does the same.
 *
 * @param sampler a name of {@link Sampler#NAMES}
 * @param unfollowed why no sampler does the same; then {@code sampler} and {@code spacing} are null
 */
record Scheduler(Noising noising, String sampler, Spacing spacing, Optional<String> unfollowed) {

  /**
   * Reads a {@code scheduler_config.json}.
   *
   * @param usual how the model is sampled without one
   * @throws HarmonicaException for a model that no sampler here is for, one of the other kind of
   *     {@link Noising}, and what is not understood
   */
  static Scheduler read(Path path, Sampling usual) {
    SchedulerFile file = SchedulerFile.read(path);
    boolean flow = file.type().equals(FlowScheduler.TYPE);
    boolean wantsFlow = usual.noising() instanceof Flow;
    if (!SchedulerFields.isClass(file.type())) {
      throw new HarmonicaException(
          "%s: scheduler '%s' is unknown, expected %s: name one of these there"
              .formatted(
                  path,
                  file.type(),
                  wantsFlow
                      ? FlowScheduler.TYPE
                      : String.join(", ", SchedulerFields.FOLLOWED.keySet())));
    }
    if (flow != wantsFlow) {
      throw new HarmonicaException(
          "%s: scheduler %s is for models that were trained on a %s, and this one was not: give the one that it was published with"
              .formatted(path, file.type(), flow ? "flow" : "diffusion"));
    }
    return flow
        ? FlowScheduler.read(file, (Flow) usual.noising(), usual.origin())
        : new Reader(file).scheduler();
  }

  /** One file of a model of diffusion, by the table of fields. */
  private record Reader(SchedulerFile file) {

    Scheduler scheduler() {
      String type = file.type();
      Followed followed = SchedulerFields.FOLLOWED.get(type);
      file.requireKnown();
      List<SchedulerField> fields = followed == null ? SchedulerFields.MODEL : followed.fields();
      Stream.of(SchedulerFields.MODEL, SchedulerFields.OF_OTHERS)
          .flatMap(List::stream)
          .forEach(field -> file.refusal(field, fields).ifPresent(this::refuse));
      if (followed == null) {
        requireBetas(type);
        return unfollowed(
            "%s: scheduler %s draws as none of our samplers does".formatted(file.file(), type));
      }
      Diffusion diffusion = diffusion();
      for (SchedulerField field : fields) {
        Optional<String> refusal =
            field.kind() == SchedulerField.Kind.BOUND
                ? bound(field, diffusion)
                : file.refusal(field, fields);
        if (refusal.isPresent()) {
          return unfollowed(refusal.get());
        }
      }
      Spacing spacing = Spacing.of(file.text("timestep_spacing", followed.spacing().toString()));
      return new Scheduler(diffusion, followed.sampler(), spacing, Optional.empty());
    }

    private Scheduler unfollowed(String why) {
      String remedy =
          "%s; state a `sampler`, which then draws with this file's noise schedule: %s"
              .formatted(why, Named.listed(Sampler.ofDiffusion()));
      return new Scheduler(diffusion(), null, null, Optional.of(remedy));
    }

    private void refuse(String why) {
      throw new HarmonicaException(why);
    }

    /** Other classes differ in what holds where nothing is said. */
    private void requireBetas(String type) {
      List<String> absent = new ArrayList<>(List.of("beta_schedule", "beta_start", "beta_end"));
      absent.removeIf(file::has);
      if (!absent.isEmpty()) {
        refuse(
            "%s: field %s of %s is absent, so nothing says what noise the model was trained on: state it there"
                .formatted(file.file(), absent.get(0), type));
      }
    }

    private Diffusion diffusion() {
      Betas betas = Betas.of(file.text("beta_schedule", Diffusion.DDPM.betas().toString()));
      boolean ends = betas != Betas.COSINE;
      return new Diffusion(
          file.trainTimesteps(),
          betas,
          ends ? beta("beta_start", Diffusion.DDPM.betaStart()) : Diffusion.DDPM.betaStart(),
          ends ? beta("beta_end", Diffusion.DDPM.betaEnd()) : Diffusion.DDPM.betaEnd(),
          Predicts.of(file.text("prediction_type", Diffusion.DDPM.predicts().toString())));
    }

    /** diffusers leaves out timesteps whose log-SNR is below the bound. */
    private Optional<String> bound(SchedulerField field, Diffusion diffusion) {
      double[] shares = diffusion.schedule(Spacing.LEADING).alphaBar();
      float last = (float) shares[shares.length - 1];
      float lambda =
          (float) Math.log((float) Math.sqrt(last)) - (float) Math.log((float) Math.sqrt(1 - last));
      String found = file.text(field.name(), field.absent());
      try {
        if (Double.parseDouble(found) <= lambda) {
          return Optional.empty();
        }
      } catch (NumberFormatException e) {
        // told below, like a bound that cuts
      }
      return Optional.of(
          "%s: field %s is %s, which leaves out timesteps, expected at most the log-SNR %s of the last"
              .formatted(file.file(), field.name(), found, lambda));
    }

    private double beta(String field, double absent) {
      double beta = file.number(field, absent);
      file.require(beta > 0 && beta < 1, field, "a number above 0 and below 1");
      return beta;
    }
  }
}
