package io.harmonica.sampler;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.sampler.SchedulerField.Inert;
import io.harmonica.sampler.SchedulerFields.Followed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
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
record Scheduler(
    Diffusion diffusion, String sampler, Spacing spacing, Optional<String> unfollowed) {

  private static final int MOST_TIMESTEPS = 1_000_000;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // lambda_min_clipped is -Infinity
          .build();

  /**
   * Reads a {@code scheduler_config.json}.
   *
   * @throws HarmonicaException for a model that no sampler here is for, and what is not understood
   */
  static Scheduler read(Path file) {
    try {
      return new Reader(file, JSON.readTree(Files.readAllBytes(file))).scheduler();
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read scheduler %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  /** One file, by the table of fields. */
  private record Reader(Path file, JsonNode json) {

    Scheduler scheduler() {
      String type = json.path("_class_name").asText();
      Followed followed = SchedulerFields.FOLLOWED.get(type);
      if (followed == null && !SchedulerFields.UNFOLLOWED.contains(type)) {
        throw new HarmonicaException(
            "%s: scheduler '%s' is unknown, expected %s: name one of these there"
                .formatted(file, type, String.join(", ", SchedulerFields.FOLLOWED.keySet())));
      }
      requireKnown(type);
      List<SchedulerField> fields = followed == null ? SchedulerFields.MODEL : followed.fields();
      Stream.of(SchedulerFields.MODEL, SchedulerFields.OF_OTHERS)
          .flatMap(List::stream)
          .forEach(field -> refusal(field, fields).ifPresent(this::refuse));
      if (followed == null) {
        requireBetas(type);
        return unfollowed(
            "%s: scheduler %s draws as none of our samplers does".formatted(file, type));
      }
      Diffusion diffusion = diffusion();
      for (SchedulerField field : fields) {
        Optional<String> refusal =
            field.kind() == SchedulerField.Kind.BOUND
                ? bound(field, diffusion)
                : refusal(field, fields);
        if (refusal.isPresent()) {
          return unfollowed(refusal.get());
        }
      }
      Spacing spacing = Spacing.of(text("timestep_spacing", followed.spacing().toString()));
      return new Scheduler(diffusion, followed.sampler(), spacing, Optional.empty());
    }

    private Scheduler unfollowed(String why) {
      String remedy =
          "%s; state a `sampler`, which then draws with this file's noise schedule: %s"
              .formatted(why, Named.listed(Sampler.NAMES));
      return new Scheduler(diffusion(), null, null, Optional.of(remedy));
    }

    private void refuse(String why) {
      throw new HarmonicaException(why);
    }

    /** A field that nobody here knows may change anything. */
    private void requireKnown(String type) {
      for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
        String name = names.next();
        boolean aboutFile = name.startsWith("_") && !name.equals("_use_default_values");
        if (!aboutFile && !SchedulerFields.isKnown(name)) {
          refuse(
              "%s: field %s of %s is unknown, so nothing says whether it changes pictures: take it out there if it does not"
                  .formatted(file, name, type));
        }
      }
    }

    /** Other classes differ in what holds where nothing is said. */
    private void requireBetas(String type) {
      List<String> absent = new ArrayList<>(List.of("beta_schedule", "beta_start", "beta_end"));
      absent.removeIf(json::has);
      if (!absent.isEmpty()) {
        refuse(
            "%s: field %s of %s is absent, so nothing says what noise the model was trained on: state it there"
                .formatted(file, absent.get(0), type));
      }
    }

    private Diffusion diffusion() {
      Betas betas = Betas.of(text("beta_schedule", Diffusion.DDPM.betas().toString()));
      boolean ends = betas != Betas.COSINE;
      return new Diffusion(
          trainTimesteps(),
          betas,
          ends ? beta("beta_start", Diffusion.DDPM.betaStart()) : Diffusion.DDPM.betaStart(),
          ends ? beta("beta_end", Diffusion.DDPM.betaEnd()) : Diffusion.DDPM.betaEnd(),
          Predicts.of(text("prediction_type", Diffusion.DDPM.predicts().toString())));
    }

    /** Why a field's value cannot be followed. */
    private Optional<String> refusal(SchedulerField field, List<SchedulerField> fields) {
      String found = text(field.name(), field.absent());
      if (field.kind() != SchedulerField.Kind.SOME
          || field.values().contains(found)
          || isInert(field.inert(), fields)) {
        return Optional.empty();
      }
      return Optional.of(
          "%s: field %s is %s%s, expected %s, the only %s supported"
              .formatted(
                  file,
                  field.name(),
                  found,
                  json.has(field.name()) ? "" : " where it is absent",
                  Named.listed(field.values()),
                  field.values().size() == 1 ? "one" : "ones"));
    }

    private boolean isInert(Inert inert, List<SchedulerField> fields) {
      return inert != null
          && fields.stream()
              .filter(field -> field.name().equals(inert.field()))
              .map(field -> text(field.name(), field.absent()).equals(inert.value()))
              .anyMatch(is -> is == inert.is());
    }

    /** diffusers leaves out timesteps whose log-SNR is below the bound. */
    private Optional<String> bound(SchedulerField field, Diffusion diffusion) {
      double[] shares = diffusion.schedule(Spacing.LEADING).alphaBar();
      float last = (float) shares[shares.length - 1];
      float lambda =
          (float) Math.log((float) Math.sqrt(last)) - (float) Math.log((float) Math.sqrt(1 - last));
      String found = text(field.name(), field.absent());
      try {
        if (Double.parseDouble(found) <= lambda) {
          return Optional.empty();
        }
      } catch (NumberFormatException e) {
        // told below, like a bound that cuts
      }
      return Optional.of(
          "%s: field %s is %s, which leaves out timesteps, expected at most the log-SNR %s of the last"
              .formatted(file, field.name(), found, lambda));
    }

    private String text(String name, String absent) {
      JsonNode value = json.path(name);
      return value.isMissingNode()
          ? absent
          : value.isValueNode() ? value.asText() : value.toString();
    }

    private int trainTimesteps() {
      JsonNode value = json.path("num_train_timesteps");
      int timesteps =
          value.isMissingNode()
              ? Diffusion.DDPM.trainTimesteps()
              : value.isInt() ? value.asInt() : 0;
      if (timesteps < 2 || timesteps > MOST_TIMESTEPS) {
        throw new HarmonicaException(
            "%s: field num_train_timesteps is %s, expected a whole number from 2 to %d"
                .formatted(file, value, MOST_TIMESTEPS));
      }
      return timesteps;
    }

    private double beta(String field, double absent) {
      JsonNode value = json.path(field);
      double beta = value.isMissingNode() ? absent : value.asDouble(Double.NaN);
      if (!(beta > 0 && beta < 1)) {
        throw new HarmonicaException(
            "%s: field %s is %s, expected a number above 0 and below 1"
                .formatted(file, field, value));
      }
      return beta;
    }
  }
}
