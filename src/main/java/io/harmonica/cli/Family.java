package io.harmonica.cli;

import io.harmonica.router.Tiers;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The routers that one command makes: as a rule one, with {@code --tiers} one for each tier. */
final class Family {
  static final String TIERS = "tiers";
  static final String TIER = "tier";
  private static final double MOST_SPEEDUP = 1000;

  /** What {@code --tiers} says instead. */
  private static final List<String> BUDGETS =
      List.of("target-speedup", "target-cur", "beta", "interval", "cur", "boundary", TIER);

  private Family() {}

  /**
   * A router to be made.
   *
   * @param out its file
   * @param speedup theoretical, by its tier; empty where other options say what it costs
   */
  record Member(String name, Path out, Optional<String> tier, Optional<Double> speedup) {}

  static OptionList declare(OptionList options) {
    return options
        .value(
            TIERS,
            "1.3,1.5,2.0",
            "a family: a router for each of these theoretical speedups, in files that are named by"
                + " --out and the tier: quality, balanced or fast, by its place among them")
        .value(TIER, "NAME", "what this router is there for in its family, to be chosen by");
  }

  static List<Member> of(Arguments arguments) {
    String name = RouterCommands.name(arguments);
    Path out = arguments.requiredPath("out");
    if (!arguments.has(TIERS)) {
      return List.of(new Member(name, out, arguments.text(TIER), Optional.empty()));
    }
    BUDGETS.stream().filter(arguments::knows).forEach(o -> arguments.refuseBoth(TIERS, o));
    return tiers(arguments.requiredText(TIERS)).entrySet().stream()
        .map(
            tier ->
                new Member(
                    name + "-" + tier.getKey(),
                    out.resolveSibling(
                        String.valueOf(out.getFileName()).replaceFirst("(\\.json)?$", "")
                            + "-"
                            + tier.getKey()
                            + ".json"),
                    Optional.of(tier.getKey()),
                    Optional.of(tier.getValue())))
        .toList();
  }

  private static Map<String, Double> tiers(String text) {
    try {
      return Tiers.of(Arrays.stream(text.split(",", -1)).map(Family::speedup).toList());
    } catch (IllegalArgumentException e) {
      throw new UsageException("--tiers: " + e.getMessage());
    }
  }

  private static double speedup(String text) {
    double value;
    try {
      value = Double.parseDouble(text.strip());
    } catch (NumberFormatException e) {
      value = Double.NaN;
    }
    if (!(value >= 1 && value <= MOST_SPEEDUP)) {
      throw new IllegalArgumentException(
          "'%s' is no speedup, expected numbers from 1 to 1000 with commas between, such as 1.3,1.5,2.0"
              .formatted(text.strip()));
    }
    return value;
  }
}
