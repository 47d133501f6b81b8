package io.harmonica.compare;

import io.harmonica.generate.Request;
import io.harmonica.generate.Style;
import io.harmonica.runtime.Device;
import io.harmonica.sampler.Spacing;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a variant is: which model, where, and how it generates.
 *
 * @param name unique in its comparison; empty until {@link VariantNames} gives one
 * @param place a folder, or {@code host:port} of a Triton server
 * @param served whether the place is a server
 * @param style of its requests
 * @param batch pictures of one request, where it is not the comparison's
 * @param stepsPerRequest steps that go in one request; empty: by the distance to the server
 * @param whole whether all steps go in one request
 * @param device what computes, where the place is a folder
 */
public record Setting(
    String name,
    String place,
    boolean served,
    String model,
    Style style,
    OptionalInt batch,
    OptionalInt stepsPerRequest,
    boolean whole,
    Device device) {

  /** What a variant may state, by the names that users type. */
  public static final List<String> FIELDS =
      List.of(
          "name",
          "router",
          "steps",
          "sampler",
          "spacing",
          "guidance",
          "guidance-channels",
          "true-cfg",
          "batch",
          "steps-per-request",
          "whole",
          "model",
          "model-repository",
          "device",
          "triton");

  /**
   * Reads a variant as users type it: a router's name, {@code none}, or {@code key=value} pairs
   * with commas between them, of which the first may be the router's name alone.
   *
   * @param where names the variant in messages, for example {@code --b}
   */
  public static Map<String, String> fields(String text, String where) {
    Map<String, String> fields = new LinkedHashMap<>();
    if (!text.contains("=")) {
      fields.put("router", text.strip());
      return fields;
    }
    for (String pair : text.split(",", -1)) {
      String[] parts = pair.split("=", 2);
      if (parts.length < 2 && fields.isEmpty()) {
        parts = new String[] {"router", pair};
      }
      if (parts.length < 2) {
        throw fault(
            where,
            "'%s' is no key=value pair; a router's name alone comes first".formatted(pair.strip()));
      }
      if (fields.put(parts[0].strip(), parts[1].strip()) != null) {
        throw fault(where, "states '%s' twice".formatted(parts[0].strip()));
      }
    }
    return fields;
  }

  /**
   * A variant of what it states itself, and for the rest of what holds for all.
   *
   * @throws IllegalArgumentException for an unknown field or a value that cannot be
   */
  public static Setting of(Map<String, String> own, Map<String, String> common, String where) {
    for (String field : own.keySet()) {
      if (!FIELDS.contains(field)) {
        throw fault(
            where, "unknown field '%s', known: %s".formatted(field, String.join(", ", FIELDS)));
      }
    }
    Map<String, String> all = new LinkedHashMap<>(common);
    if (own.containsKey("triton") || own.containsKey("model-repository")) {
      all.remove("triton");
      all.remove("model-repository");
    }
    if (own.containsKey("triton")) {
      all.remove("device"); // what the others compute on
    }
    all.putAll(own);
    return new Fields(all, where).setting();
  }

  static IllegalArgumentException fault(String where, String what) {
    return new IllegalArgumentException(where + ": " + what);
  }

  /** Reads typed values from what users typed. */
  private record Fields(Map<String, String> values, String where) {

    Setting setting() {
      if (values.containsKey("triton") == values.containsKey("model-repository")) {
        throw fault(where, "state one of model-repository and triton, here or for all variants");
      }
      boolean served = values.containsKey("triton");
      if (served && values.containsKey("device")) {
        throw fault(where, "device has no effect with triton: its servers compute");
      }
      String model = text("model").orElseThrow(() -> fault(where, "state its model, or `model`"));
      Style style = Style.DEFAULT.withRouter(text("router").orElse(Request.NO_ROUTER));
      OptionalInt steps = integer("steps", 1000);
      if (steps.isPresent()) {
        style = style.withSteps(steps.getAsInt());
      }
      if (text("sampler").isPresent()) {
        style = style.withSampler(text("sampler").get());
      }
      if (text("spacing").isPresent()) {
        style = style.withSpacing(Spacing.of(text("spacing").get()));
      }
      if (text("guidance").isPresent()) {
        style = style.withGuidance(scale("guidance", text("guidance").get()));
      }
      if (text("true-cfg").isPresent()) {
        style = style.withTrueCfg(scale("true-cfg", text("true-cfg").get()));
      }
      OptionalInt channels = integer("guidance-channels", 1 << 16);
      if (channels.isPresent()) {
        style = style.withGuidanceChannels(channels.getAsInt());
      }
      return new Setting(
          text("name").orElse(""),
          values.get(served ? "triton" : "model-repository"),
          served,
          model,
          style,
          integer("batch", 1 << 16),
          integer("steps-per-request", 1000),
          isWhole(),
          text("device").map(Device::parse).orElse(Device.CPU));
    }

    private Optional<String> text(String field) {
      Optional<String> value = Optional.ofNullable(values.get(field));
      if (value.isPresent() && value.get().isEmpty()) {
        throw fault(where, field + " is empty");
      }
      return value;
    }

    private boolean isWhole() {
      String value = text("whole").orElse("no");
      if (!List.of("yes", "no").contains(value)) {
        throw fault(where, "whole is '%s', expected yes or no".formatted(value));
      }
      if (value.equals("yes") && values.containsKey("steps-per-request")) {
        throw fault(where, "steps-per-request has no effect with whole: all steps go in one");
      }
      return value.equals("yes");
    }

    private OptionalInt integer(String field, int most) {
      Optional<String> value = text(field);
      if (value.isEmpty()) {
        return OptionalInt.empty();
      }
      try {
        int number = Integer.parseInt(value.get());
        if (number >= 1 && number <= most) {
          return OptionalInt.of(number);
        }
      } catch (NumberFormatException e) {
        // told below, like a number out of bounds
      }
      throw fault(
          where,
          "%s is '%s', expected a whole number in 1..%d".formatted(field, value.get(), most));
    }

    private double scale(String field, String value) {
      try {
        double number = Double.parseDouble(value);
        if (number >= 0 && number <= 1000) {
          return number;
        }
      } catch (NumberFormatException e) {
        // told below, like a number out of bounds
      }
      throw fault(where, "%s is '%s', expected a number in 0..1000".formatted(field, value));
    }
  }

  /** What it is, field by field, as it could be stated. */
  public Map<String, String> fields() {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("router", style.router());
    style.steps().ifPresent(steps -> fields.put("steps", Integer.toString(steps)));
    style.sampler().ifPresent(sampler -> fields.put("sampler", sampler));
    style
        .spacing()
        .ifPresent(s -> fields.put("spacing", s.name().toLowerCase(Locale.ROOT).replace('_', '-')));
    style.guidance().ifPresent(scale -> fields.put("guidance", Numbers.shortest(scale)));
    style
        .guidanceChannels()
        .ifPresent(count -> fields.put("guidance-channels", Integer.toString(count)));
    style.trueCfg().ifPresent(scale -> fields.put("true-cfg", Numbers.shortest(scale)));
    batch.ifPresent(pictures -> fields.put("batch", Integer.toString(pictures)));
    stepsPerRequest.ifPresent(count -> fields.put("steps-per-request", Integer.toString(count)));
    if (whole) {
      fields.put("whole", "yes");
    }
    fields.put("model", model);
    fields.put(served ? "triton" : "model-repository", place);
    if (!device.equals(Device.CPU)) {
      fields.put("device", device.withSemicolons());
    }
    return fields;
  }

  Setting withName(String other) {
    return new Setting(other, place, served, model, style, batch, stepsPerRequest, whole, device);
  }

  Setting withStyle(Style other) {
    return new Setting(name, place, served, model, other, batch, stepsPerRequest, whole, device);
  }
}
