package io.harmonica.compare;

import io.harmonica.router.Router;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Says in a few words what a variant is, and how it differs from the others. */
final class VariantNames {
  private VariantNames() {}

  /** {@code a}, {@code b}, ... by place. */
  static String key(int index) {
    return Character.toString('a' + index);
  }

  /** Gives names to those that have none: the router's, and what else it takes to differ. */
  static List<Setting> named(List<Setting> settings) {
    List<String> routers = settings.stream().map(VariantNames::nameOrRouter).toList();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < routers.size(); i++) {
      String router = routers.get(i);
      List<Setting> alike =
          settings.stream().filter(other -> nameOrRouter(other).equals(router)).toList();
      List<String> others = differences(settings.get(i), alike);
      boolean unique = Collections.frequency(routers, routers.get(i)) == 1;
      boolean own = !settings.get(i).name().isEmpty();
      names.add(
          unique || own || others.isEmpty()
              ? routers.get(i)
              : "%s (%s)".formatted(routers.get(i), String.join(", ", others)));
    }
    List<Setting> named = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      boolean unique = Collections.frequency(names, names.get(i)) == 1;
      named.add(settings.get(i).withName(unique ? names.get(i) : names.get(i) + " " + key(i)));
    }
    return named;
  }

  private static String nameOrRouter(Setting setting) {
    return setting.name().isEmpty() ? setting.style().router() : setting.name();
  }

  /** What a variant does, and where it differs from others. */
  static String description(Setting setting, Optional<Router> router, List<Setting> all) {
    List<String> words = differences(setting, all);
    words.add(0, router.map(VariantNames::rule).orElse("every branch computed"));
    return String.join(", ", words);
  }

  private static String rule(Router router) {
    String interval = router.training().path("interval").asText();
    int order = router.training().path("order").asInt();
    return switch (router.training().path("policy").asText()) {
      case "fora" -> "one step in %s computes, the others reuse".formatted(interval);
      case "taylor" ->
          "one step in %s computes, the others forecast, order %d".formatted(interval, order);
      default -> "router " + router.name();
    };
  }

  /** The fields, but the router, that are not the same in all. */
  private static List<String> differences(Setting setting, List<Setting> all) {
    List<String> words = new ArrayList<>();
    Map<String, String> fields = setting.fields();
    for (String field : Setting.FIELDS) {
      boolean differs = all.stream().map(other -> other.fields().get(field)).distinct().count() > 1;
      if (differs && fields.containsKey(field) && !field.equals("router")) {
        boolean known = field.equals("model-repository") && values(field, all) == 1;
        words.add(known ? "embedded" : words(field, fields.get(field)));
      }
    }
    return words;
  }

  /** How many values variants state for a field. */
  private static long values(String field, List<Setting> all) {
    return all.stream()
        .map(setting -> setting.fields().get(field))
        .filter(Objects::nonNull)
        .distinct()
        .count();
  }

  /** What all variants have in common. */
  static String common(List<Setting> settings) {
    Map<String, String> first = settings.get(0).fields();
    List<String> words = new ArrayList<>();
    for (String field : List.of("steps", "sampler", "guidance", "true-cfg")) {
      boolean same =
          settings.stream().allMatch(s -> Objects.equals(s.fields().get(field), first.get(field)));
      if (same && first.containsKey(field)) {
        words.add(words(field, first.get(field)));
      }
    }
    return String.join(", ", words);
  }

  private static String words(String field, String value) {
    return switch (field) {
      case "steps" -> value + (value.equals("1") ? " step" : " steps");
      case "sampler" -> "sampler " + value;
      case "spacing" -> value + " spacing";
      case "guidance" -> "guidance " + value;
      case "true-cfg" -> "true CFG " + value;
      case "guidance-channels" -> "guidance on " + value + " channels";
      case "steps-per-request" -> value.equals("1") ? "step by step" : value + " steps a request";
      case "whole" -> "in one request";
      case "batch" -> "batches of " + value;
      case "model" -> "model " + value;
      case "triton" -> "Triton at " + value;
      default -> "embedded, " + value;
    };
  }
}
