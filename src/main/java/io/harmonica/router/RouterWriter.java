package io.harmonica.router;

import com.fasterxml.jackson.core.io.JsonStringEncoder;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** Writes the JSON form of a {@link Router} so that a diff shows which step changed. */
final class RouterWriter {
  private RouterWriter() {}

  static String write(Router router) {
    var text = new StringBuilder("{\n");
    field(text, "format", quoted(RouterReader.format(router.timesteps(), router.runs())));
    field(text, "name", quoted(router.name()));
    field(text, "model", quoted(router.model()));
    field(text, "sampler", quoted(router.sampler()));
    field(text, "steps", Integer.toString(router.steps()));
    field(text, "timesteps", router.timesteps().toString());
    field(text, "threshold", decimal(router.threshold()));
    field(text, "branches", inline(router.branches(), RouterWriter::quoted));
    if (!router.runs().isEmpty()) {
      List<String> branches = router.branches();
      field(
          text,
          "runs",
          inline(
              router.runs(),
              run ->
                  inline(
                      List.of(branches.get(run.first()), branches.get(run.last())),
                      RouterWriter::quoted)));
    }
    field(text, "scores", rows(router.scores(), RouterWriter::decimals));
    field(text, "reuse", quoted(router.reuse().kind()));
    if (router.reuse() instanceof Reuse.Weights weights) {
      field(
          text,
          "weights",
          rows(weights.values(), row -> inline(Arrays.asList(row), RouterWriter::decimals)));
    }
    text.append("  \"training\": ").append(router.training()).append("\n}\n");
    return text.toString();
  }

  private static void field(StringBuilder text, String name, String value) {
    text.append("  \"").append(name).append("\": ").append(value).append(",\n");
  }

  private static <T> String rows(T[] rows, Function<T, String> form) {
    return Arrays.stream(rows)
        .map(row -> "    " + form.apply(row))
        .collect(Collectors.joining(",\n", "[\n", "\n  ]"));
  }

  private static <T> String inline(List<T> items, Function<T, String> form) {
    return items.stream().map(form).collect(Collectors.joining(", ", "[", "]"));
  }

  private static String decimals(double[] values) {
    return inline(Arrays.stream(values).boxed().toList(), RouterWriter::decimal);
  }

  private static String decimal(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toString();
  }

  private static String quoted(String text) {
    return "\"" + new String(JsonStringEncoder.getInstance().quoteAsString(text)) + "\"";
  }
}
