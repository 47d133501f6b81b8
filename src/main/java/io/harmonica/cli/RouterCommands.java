package io.harmonica.cli;

import io.harmonica.Timesteps;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the commands that make and show routers share. */
final class RouterCommands {
  /** What {@code --spacing} of these commands says. */
  static final String SPACING =
      "timesteps as diffusers or as the original DiT space them (default: by the checkpoint's"
          + " scheduler or layout, linspace for dpm-solver++ and sa-solver, uniform for"
          + " dpm-solver-2 and dpm-solver-fast)";

  static final List<String> SPACINGS =
      List.of("leading", "openai", "linspace", "trailing", "uniform");

  /** They, as their option shows them. */
  static final String SPACING_WORDS = String.join("|", SPACINGS);

  private RouterCommands() {}

  /** The model that {@code --checkpoint} names, with what else is said of it. */
  static ModelCard checkpoint(Models models, Arguments arguments) {
    return models.checkpoint(
        arguments.requiredPath("checkpoint"), CheckpointOptions.choicesForRouters(arguments));
  }

  /** The router's name: {@code --name}, else that of the file without {@code .json}. */
  static String name(Arguments arguments) {
    Path out = arguments.requiredPath("out");
    Optional<String> given = arguments.text("name");
    String name = given.orElse(String.valueOf(out.getFileName()).replaceFirst("\\.json$", ""));
    if (!Router.isName(name)) {
      throw new UsageException(
          "'%s' cannot be a router's name, expected letters, digits, '.', '_' and '-'%s"
              .formatted(name, given.isPresent() ? "" : ": give it another with --name"));
    }
    return name;
  }

  /** {@code --sampler}, where given. */
  static Optional<String> sampler(Arguments arguments) {
    return arguments.choice("sampler", Sampler.NAMES);
  }

  /** {@code --spacing}, where given. */
  static Optional<Spacing> spacing(Arguments arguments) {
    return arguments.choice("spacing", SPACINGS).map(Spacing::of);
  }

  /** The timesteps of a sampler, by default spaced as the model's origin does. */
  static Timesteps timesteps(
      ModelCard model, String sampler, int steps, Optional<Spacing> spacing) {
    try {
      return model.sampling().sampler(sampler, steps, spacing).timesteps();
    } catch (IllegalArgumentException e) { // names its option itself
      throw new UsageException(e.getMessage());
    }
  }

  /** Writes the router and says in one line what was made. */
  static Savings write(Router router, ModelCard model, Arguments arguments, Console console) {
    return write(router, model, arguments.requiredPath("out"), console);
  }

  static Savings write(Router router, ModelCard model, Path out, Console console) {
    router.write(out);
    Savings savings = Savings.of(router, model.flops(), model.cacheBytes());
    console.out().printf(Locale.ROOT, "wrote %s: %s%n", out, summary(router, savings));
    return savings;
  }

  /** Steps, CUR and what they bring, on one line. */
  static String summary(Router router, Savings savings) {
    var text =
        new StringBuilder(
            String.format(
                Locale.ROOT,
                "%d steps x %d branches, CUR %.3f",
                router.steps(),
                router.branches().size(),
                savings.cur()));
    savings
        .theoreticalSpeedup()
        .ifPresent(s -> text.append(String.format(Locale.ROOT, ", theoretical speedup %.2fx", s)));
    savings
        .peakCacheBytesPerSample()
        .ifPresent(b -> text.append(", cache at most %s a sample".formatted(bytes(b))));
    return text.append(", " + counted(savings.routes(), "distinct route")).toString();
  }

  /** {@code 1 router}, {@code 2 routers}. */
  static String counted(long count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }

  /** A size that a person can compare, in binary units. */
  static String bytes(long bytes) {
    if (bytes < 1024) {
      return bytes + " bytes";
    }
    double size = bytes / 1024.0;
    int unit = 0;
    while (size >= 1024 && unit < 3) {
      size /= 1024;
      unit++;
    }
    return String.format(
        Locale.ROOT, "%.1f %s", size, List.of("KiB", "MiB", "GiB", "TiB").get(unit));
  }
}
