package io.harmonica.sampler;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.sampler.SchedulerField.Inert;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;

/**
 * A diffusers {@code scheduler_config.json}, read field by field and held to the table of these.
 */
record SchedulerFile(Path file, JsonNode json) {

  private static final int MOST_TIMESTEPS = 1_000_000;
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // lambda_min_clipped is -Infinity
          .build();

  static SchedulerFile read(Path file) {
    try {
      return new SchedulerFile(file, JSON.readTree(Files.readAllBytes(file)));
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no valid JSON: %s".formatted(file, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read scheduler %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  /** The class that wrote it. */
  String type() {
    return json.path("_class_name").asText();
  }

  boolean has(String field) {
    return json.has(field);
  }

  String text(String name, String absent) {
    JsonNode value = json.path(name);
    return value.isMissingNode() ? absent : value.isValueNode() ? value.asText() : value.toString();
  }

  /** A field that nobody here knows may change anything. */
  void requireKnown() {
    for (Iterator<String> names = json.fieldNames(); names.hasNext(); ) {
      String name = names.next();
      boolean aboutFile = name.startsWith("_") && !name.equals("_use_default_values");
      if (!aboutFile && !SchedulerFields.isKnown(name)) {
        throw new HarmonicaException(
            "%s: field %s of %s is unknown, so nothing says whether it changes pictures: take it out there if it does not"
                .formatted(file, name, type()));
      }
    }
  }

  /**
   * Why a field's value cannot be followed.
   *
   * @param fields of its class, for where it is inert
   */
  Optional<String> refusal(SchedulerField field, List<SchedulerField> fields) {
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

  int trainTimesteps() {
    JsonNode value = json.path("num_train_timesteps");
    int timesteps =
        value.isMissingNode() ? Diffusion.DDPM.trainTimesteps() : value.isInt() ? value.asInt() : 0;
    require(
        timesteps >= 2 && timesteps <= MOST_TIMESTEPS,
        "num_train_timesteps",
        "a whole number from 2 to " + MOST_TIMESTEPS);
    return timesteps;
  }

  /** A number; not one where the field is neither absent nor a number. */
  double number(String field, double absent) {
    JsonNode value = json.path(field);
    return value.isMissingNode() ? absent : value.asDouble(Double.NaN);
  }

  void require(boolean fits, String field, String expected) {
    if (!fits) {
      throw new HarmonicaException(
          "%s: field %s is %s, expected %s".formatted(file, field, json.path(field), expected));
    }
  }
}
