package io.harmonica.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.compare.Setting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The variants of a comparison, from {@code --a}, {@code --b}, ... or from a file. */
final class VariantOptions {
  static final List<String> LETTERS = List.of("a", "b", "c", "d", "e", "f", "g", "h");

  private VariantOptions() {}

  /** In their order; at least two. */
  static List<Setting> settings(Arguments arguments, Map<String, String> common) {
    try {
      return read(arguments, common);
    } catch (InvalidProperty e) {
      throw e;
    } catch (IllegalArgumentException e) { // says which variant
      throw new UsageException(e.getMessage());
    }
  }

  private static List<Setting> read(Arguments arguments, Map<String, String> common) {
    List<Setting> settings = new ArrayList<>();
    if (arguments.has("variants")) {
      LETTERS.forEach(letter -> arguments.refuseBoth("variants", letter));
      Path file = arguments.requiredPath("variants");
      JsonNode variants = read(file);
      for (int i = 0; i < variants.size(); i++) {
        String where = "--variants %s: variant %d".formatted(file, i + 1);
        settings.add(Setting.of(fields(variants.get(i), where), common, where));
      }
    } else {
      for (String letter : LETTERS) {
        if (arguments.has(letter)) {
          if (settings.size() != LETTERS.indexOf(letter)) {
            throw new UsageException(
                "--%s without --%s: variants are lettered from a, without gaps"
                    .formatted(letter, LETTERS.get(settings.size())));
          }
          String where = "--" + letter;
          Map<String, String> own = Setting.fields(arguments.requiredText(letter), where);
          settings.add(Setting.of(own, common, where));
        }
      }
    }
    if (settings.size() < 2) {
      throw new UsageException(
          "a comparison needs at least two variants, --a and --b or --variants FILE; found "
              + settings.size());
    }
    return settings;
  }

  private static JsonNode read(Path file) {
    try {
      JsonNode root = new ObjectMapper().readTree(Files.readAllBytes(file));
      if (!root.isArray() || root.size() > 26) {
        throw new HarmonicaException(
            "%s is no JSON array of 2 to 26 variants, such as [\"none\", {\"router\": \"fora-2\"}]"
                .formatted(file));
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is not JSON at line %d, column %d: %s"
              .formatted(
                  file,
                  e.getLocation().getLineNr(),
                  e.getLocation().getColumnNr(),
                  e.getOriginalMessage().replaceAll("\\s+", " ")),
          e);
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  private static Map<String, String> fields(JsonNode variant, String where) {
    if (variant.isTextual()) {
      return Setting.fields(variant.asText(), where);
    }
    if (!variant.isObject()) {
      throw new HarmonicaException(where + " is neither text nor an object: " + variant);
    }
    Map<String, String> fields = new LinkedHashMap<>();
    variant
        .properties()
        .forEach(
            field -> {
              if (!field.getValue().isValueNode() || field.getValue().isNull()) {
                throw new HarmonicaException(
                    "%s: '%s' is %s, expected a word or a number"
                        .formatted(where, field.getKey(), field.getValue()));
              }
              fields.put(field.getKey(), field.getValue().asText());
            });
    return fields;
  }
}
