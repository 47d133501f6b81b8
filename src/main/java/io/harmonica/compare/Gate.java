package io.harmonica.compare;

import io.harmonica.InvalidProperty;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A condition under which a comparison fails: {@code b.speedup < 1.2}, {@code b.psnr < 30 ||
 * b.latencyMillis.p99 > 500 && c.ssim <= 0.9}. {@code &&} binds closer than {@code ||}.
 *
 * @param anyOf alternatives, each of terms that all have to hold
 */
public record Gate(String expression, List<List<Term>> anyOf) {
  private static final String OPERATORS = "<=|>=|==|!=|<|>";
  private static final Pattern TERM =
      Pattern.compile(
          "\\s*(\\S+?)\\.([A-Za-z][A-Za-z0-9]*(?:\\.[A-Za-z0-9]+)?)\\s*(%s)\\s*(\\S+)\\s*"
              .formatted(OPERATORS));

  /** {@code variant.field operator number}; the variant by its key or its name. */
  record Term(String variant, String field, String operator, double number) {

    boolean holds(double value) {
      return switch (operator) {
        case "<" -> value < number;
        case "<=" -> value <= number;
        case ">" -> value > number;
        case ">=" -> value >= number;
        case "==" -> value == number;
        default -> value != number;
      };
    }

    double valueIn(List<Report.Entry> entries) {
      return entries.stream()
          .filter(entry -> entry.key().equals(variant) || entry.name().equals(variant))
          .findFirst()
          .map(Field.ALL.get(field)::of)
          .orElse(Double.NaN);
    }
  }

  /**
   * What a gate says of a comparison.
   *
   * @param fired whether it fails; also where a value that it needs was not measured
   * @param values of its terms, for people
   */
  public record Verdict(String expression, boolean fired, String values) {}

  /**
   * Reads a gate.
   *
   * @param variants keys and names of the comparison's variants
   * @throws IllegalArgumentException that says what cannot be read, or the known fields or variants
   */
  public static Gate parse(String expression, List<String> variants) {
    List<List<Term>> anyOf = new ArrayList<>();
    for (String alternative : expression.split("\\|\\|", -1)) {
      List<Term> allOf = new ArrayList<>();
      for (String term : alternative.split("&&", -1)) {
        allOf.add(term(term, variants));
      }
      anyOf.add(List.copyOf(allOf));
    }
    return new Gate(expression.strip(), List.copyOf(anyOf));
  }

  private static Term term(String text, List<String> variants) {
    Matcher term = TERM.matcher(text);
    Optional<Double> number = term.matches() ? number(term.group(4)) : Optional.empty();
    if (number.isEmpty()) {
      throw new InvalidProperty(
          "failIf",
          "'%s' is not VARIANT.FIELD OPERATOR NUMBER, such as b.speedup < 1.2"
              .formatted(text.strip()));
    }
    String variant = term.group(1);
    String field = term.group(2);
    if (!Field.ALL.containsKey(field)) {
      field =
          Field.ALL.keySet().stream() // speedup for speedup.value, p99 for latencyMillis.p99
              .filter(
                  known ->
                      known.equals(term.group(2) + ".value")
                          || known.equals("latencyMillis." + term.group(2)))
              .findFirst()
              .orElseThrow(
                  () ->
                      new InvalidProperty(
                          "failIf",
                          ": unknown field '%s', known: %s"
                              .formatted(term.group(2), String.join(", ", Field.ALL.keySet()))));
    }
    if (!variants.contains(variant)) {
      throw new InvalidProperty(
          "failIf",
          ": unknown variant '%s', known: %s".formatted(variant, String.join(", ", variants)));
    }
    return new Term(variant, field, term.group(3), number.get());
  }

  private static Optional<Double> number(String text) {
    try {
      return Optional.of(Double.valueOf(text));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  /** Whether any term asks for a speedup's interval. */
  public boolean needsInterval() {
    return anyOf.stream()
        .flatMap(List::stream)
        .anyMatch(term -> term.field().matches("speedup\\.(low|high)"));
  }

  /** Whether any term asks for what a network says of the pictures. */
  public boolean needsFeatures() {
    return anyOf.stream().flatMap(List::stream).anyMatch(term -> Field.needsFeatures(term.field()));
  }

  Verdict judge(List<Report.Entry> entries) {
    List<Term> terms = anyOf.stream().flatMap(List::stream).toList();
    boolean unknown = terms.stream().anyMatch(term -> Double.isNaN(term.valueIn(entries)));
    boolean holds =
        anyOf.stream()
            .anyMatch(allOf -> allOf.stream().allMatch(term -> term.holds(term.valueIn(entries))));
    String values =
        terms.stream()
            .map(
                term ->
                    "%s.%s = %s"
                        .formatted(term.variant(), term.field(), shown(term.valueIn(entries))))
            .distinct()
            .collect(Collectors.joining(", "));
    return new Verdict(expression, holds || unknown, values);
  }

  private static String shown(double value) {
    return Double.isNaN(value)
        ? "not measured"
        : Double.isInfinite(value) ? "identical" : Numbers.three(value);
  }
}
