package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.util.Optional;
import java.util.OptionalInt;

/** The fields of a {@code config.json}, checked as they are read. */
record Config(JsonNode json, String where) {

  /** The one beside a checkpoint's weights, if there is any. */
  static Optional<Config> of(Checkpoint checkpoint) {
    return checkpoint.config().map(json -> new Config(json, checkpoint.path() + "/config.json"));
  }

  /** A field that must be absent, null or as stated: the definition knows nothing else. */
  void require(String field, String expected) {
    JsonNode value = json.path(field);
    boolean fits = value.isMissingNode() || value.isNull() || value.asText().equals(expected);
    check(field, fits, expected + ", the only one supported");
  }

  int integer(String field, int absent) {
    JsonNode value = json.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return absent;
    }
    check(
        field,
        value.isInt() && value.asInt() > 0 && value.asInt() < 1 << 20,
        "an integer of 1 to 1048575");
    return value.asInt();
  }

  /**
   * How many attention heads there are.
   *
   * @param stated by the user; must agree
   */
  int heads(int absent, OptionalInt stated) {
    int heads = integer("num_attention_heads", absent);
    if (stated.orElse(heads) != heads) {
      throw new HarmonicaException(
          "%s: num_attention_heads is %d, `heads` says %d; leave `heads` out"
              .formatted(where, heads, stated.getAsInt()));
    }
    return heads;
  }

  double number(String field, double absent) {
    JsonNode value = json.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return absent;
    }
    check(field, value.isNumber() && value.asDouble() > 0, "a positive number");
    return value.asDouble();
  }

  /** The same, where it may also be 0 or negative. */
  double anyNumber(String field, double absent) {
    JsonNode value = json.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return absent;
    }
    check(field, value.isNumber() && Double.isFinite(value.asDouble()), "a number");
    return value.asDouble();
  }

  /** True, false, or where it is absent or null, neither. */
  Optional<Boolean> flag(String field) {
    JsonNode value = json.path(field);
    if (value.isMissingNode() || value.isNull()) {
      return Optional.empty();
    }
    check(field, value.isBoolean(), "true or false");
    return Optional.of(value.asBoolean());
  }

  void check(String field, boolean fits, String expected) {
    if (!fits) {
      throw new HarmonicaException(
          "%s: field %s is %s, expected %s".formatted(where, field, json.path(field), expected));
    }
  }
}
