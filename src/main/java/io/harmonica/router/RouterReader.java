package io.harmonica.router;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.StreamSupport;

/** Reads the JSON form of a {@link Router}, strictly: nothing is guessed, nothing ignored. */
final class RouterReader {
  static final String FORMAT = "harmonica-router/1";

  /** With timesteps that may be decimals, and go up to 1000. */
  static final String DECIMAL_FORMAT = "harmonica-router/2";

  /** With runs of branches, and timesteps as in {@link #DECIMAL_FORMAT}. */
  static final String RUN_FORMAT = "harmonica-router/3";

  private static final int MOST_WHOLE = 999;

  private static final List<String> REQUIRED =
      List.of(
          "format",
          "name",
          "model",
          "sampler",
          "steps",
          "timesteps",
          "threshold",
          "branches",
          "scores");
  private static final Set<String> OPTIONAL = Set.of("reuse", "weights", "training");
  private static final String RUNS = "runs"; // of format 3, required there
  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(
              JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS) // Python writes NaN: refused by name below
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private RouterReader() {}

  static Router parse(String json, String where) {
    try {
      Router router = router(MAPPER.readTree(json));
      Schedule.of(router); // refuses weights that no trajectory can follow
      return router;
    } catch (JsonProcessingException e) {
      String place =
          Optional.ofNullable(e.getLocation())
              .map(l -> " at line %d, column %d".formatted(l.getLineNr(), l.getColumnNr()))
              .orElse("");
      throw new HarmonicaException(
          "%s is not a router: no valid JSON%s: %s".formatted(where, place, reason(e)), e);
    } catch (IllegalArgumentException e) {
      throw new HarmonicaException("%s: %s".formatted(where, e.getMessage()), e);
    }
  }

  private static String reason(JsonProcessingException e) {
    String words = e.getOriginalMessage().replaceAll("\\s+", " ");
    return words.startsWith("Trailing token") ? "more text after its end" : words;
  }

  private static Router router(JsonNode root) {
    if (root.isMissingNode()) {
      throw new IllegalArgumentException("not a router: it is empty");
    }
    if (!root.isObject()) {
      throw new IllegalArgumentException(
          "not a router: found %s, expected a JSON object".formatted(kind(root)));
    }
    String format = root.path("format").asText();
    if (!List.of(FORMAT, DECIMAL_FORMAT, RUN_FORMAT).contains(format)) {
      throw new IllegalArgumentException(
          "format is %s, expected \"%s\", \"%s\" or \"%s\": not a router, or one of a newer version"
              .formatted(shown(root.get("format")), FORMAT, DECIMAL_FORMAT, RUN_FORMAT));
    }
    boolean hasRuns = format.equals(RUN_FORMAT);
    root.fieldNames()
        .forEachRemaining(
            field -> {
              if (!REQUIRED.contains(field)
                  && !OPTIONAL.contains(field)
                  && !(hasRuns && field.equals(RUNS))) {
                throw new IllegalArgumentException(
                    "unknown field \"%s\", expected only %s and optionally reuse, weights, training"
                        .formatted(field, String.join(", ", REQUIRED)));
              }
            });
    for (String field : REQUIRED) {
      requireField(root, field);
    }
    if (hasRuns) {
      requireField(root, RUNS);
    }
    List<String> branches = items(root.get("branches"), "branches", RouterReader::text);
    return new Router(
        text(root.get("name"), "name"),
        text(root.get("model"), "model"),
        text(root.get("sampler"), "sampler"),
        integer(root.get("steps"), "steps"),
        timesteps(root.get("timesteps"), format),
        number(root.get("threshold"), "threshold"),
        branches,
        hasRuns ? runs(root.path(RUNS), branches) : List.of(),
        items(root.get("scores"), "scores", RouterReader::numbers).toArray(double[][]::new),
        reuse(root),
        training(root));
  }

  private static void requireField(JsonNode root, String field) {
    if (!root.has(field)) {
      throw new IllegalArgumentException("field \"%s\" is missing".formatted(field));
    }
  }

  private static Timesteps timesteps(JsonNode node, String format) {
    return format.equals(FORMAT)
        ? Timesteps.of(items(node, "timesteps", RouterReader::timestep))
        : new Timesteps(items(node, "timesteps", RouterReader::number));
  }

  /** Each by its first and last branch. */
  private static List<Run> runs(JsonNode node, List<String> branches) {
    return items(
        node,
        RUNS,
        (run, where) -> {
          List<String> ends = items(run, where, RouterReader::text);
          if (ends.size() != 2) {
            throw new IllegalArgumentException(
                "%s names %d branches, expected its first and its last"
                    .formatted(where, ends.size()));
          }
          int first = branch(ends.get(0), where, branches);
          int last = branch(ends.get(1), where, branches);
          if (last < first) {
            throw new IllegalArgumentException(
                "%s ends with %s before it begins with %s, expected execution order"
                    .formatted(where, ends.get(1), ends.get(0)));
          }
          return new Run(first, last);
        });
  }

  private static int branch(String name, String where, List<String> branches) {
    int index = branches.indexOf(name);
    if (index < 0) {
      throw new IllegalArgumentException(
          "%s names '%s', expected one of the branches".formatted(where, name));
    }
    return index;
  }

  private static int timestep(JsonNode node, String where) {
    int timestep = integer(node, where);
    if (timestep < 0 || timestep > MOST_WHOLE) {
      throw new IllegalArgumentException(
          "%s is %d, expected 0..%d: they fall, from %d at most"
              .formatted(where, timestep, MOST_WHOLE, MOST_WHOLE));
    }
    return timestep;
  }

  /** The format that has what these need. */
  static String format(Timesteps timesteps, List<Run> runs) {
    if (!runs.isEmpty()) {
      return RUN_FORMAT;
    }
    return timesteps.areWhole() && timesteps.get(0) <= MOST_WHOLE ? FORMAT : DECIMAL_FORMAT;
  }

  private static Reuse reuse(JsonNode root) {
    String kind = root.has("reuse") ? text(root.get("reuse"), "reuse") : "last";
    if (root.has("weights") != kind.equals("weights")) {
      throw new IllegalArgumentException(
          "reuse is \"%s\" and weights is %s, expected weights with \"reuse\": \"weights\" only"
              .formatted(kind, root.has("weights") ? "given" : "missing"));
    }
    return switch (kind) {
      case "last" -> Reuse.LAST;
      case "linear" -> Reuse.LINEAR;
      case "quadratic" -> Reuse.QUADRATIC;
      case "weights" -> new Reuse.Weights(weights(root.get("weights")));
      default ->
          throw new IllegalArgumentException(
              "reuse is %s, expected \"last\", \"linear\", \"quadratic\" or \"weights\""
                  .formatted(shown(root.get("reuse"))));
    };
  }

  private static double[][][] weights(JsonNode node) {
    return items(
            node,
            "weights",
            (row, where) -> items(row, where, RouterReader::numbers).toArray(double[][]::new))
        .toArray(double[][][]::new);
  }

  private static ObjectNode training(JsonNode root) {
    JsonNode training = root.path("training");
    if (training.isMissingNode()) {
      return MAPPER.createObjectNode();
    }
    if (training instanceof ObjectNode object) {
      return object;
    }
    throw new IllegalArgumentException(
        "training is %s, expected a JSON object".formatted(kind(training)));
  }

  private interface Item<T> {
    T read(JsonNode node, String where);
  }

  private static <T> List<T> items(JsonNode node, String where, Item<T> item) {
    if (!node.isArray()) {
      throw new IllegalArgumentException(
          "%s is %s, expected an array".formatted(where, kind(node)));
    }
    var index = new int[1];
    return StreamSupport.stream(node.spliterator(), false)
        .map(entry -> item.read(entry, where + "[" + index[0]++ + "]"))
        .toList();
  }

  private static double[] numbers(JsonNode node, String where) {
    return items(node, where, RouterReader::number).stream().mapToDouble(d -> d).toArray();
  }

  private static String text(JsonNode node, String where) {
    if (!node.isTextual()) {
      throw new IllegalArgumentException(
          "%s is %s, expected a string".formatted(where, kind(node)));
    }
    return node.textValue();
  }

  private static int integer(JsonNode node, String where) {
    if (!node.isInt()) {
      throw new IllegalArgumentException(
          "%s is %s, expected a whole number".formatted(where, shown(node)));
    }
    return node.intValue();
  }

  private static double number(JsonNode node, String where) {
    if (!node.isNumber()) {
      throw new IllegalArgumentException(
          "%s is %s, expected a number".formatted(where, kind(node)));
    }
    return node.doubleValue();
  }

  private static String kind(JsonNode node) {
    return "a JSON " + node.getNodeType().name().toLowerCase(Locale.ROOT);
  }

  /** A value as a message shows it, cut short where it is long. */
  private static String shown(JsonNode node) {
    if (node == null) {
      return "missing";
    }
    if (!node.isValueNode()) {
      return kind(node);
    }
    String text = node.toString();
    return text.length() <= 60 ? text : text.substring(0, 60) + "...";
  }
}
