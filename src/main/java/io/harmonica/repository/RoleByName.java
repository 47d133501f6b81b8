package io.harmonica.repository;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Roles of repositories that were exported before configurations stated them. Such a configuration
 * says which model it is a part of, and what follows that model's name has one reading only. This
 * is the one place that finds a role in a name.
 */
final class RoleByName {
  private static final Pattern CALL = Pattern.compile("(.+)-(?:route|stretch)\\d+");
  private static final Pattern BLOCK = Pattern.compile("block(\\d+(?:-\\d+)?)-([c1-9]+)");
  private static final Pattern STEP = Pattern.compile("step-([c1-9]+)");
  private static final Pattern TEXT = Pattern.compile("text-encoder(?:-\\d+)?");

  private RoleByName() {}

  static Optional<Role> of(String model, String name) {
    if (name.equals(model)) {
      return Optional.of(Role.call(Names.NO_ROUTER));
    }
    return name.startsWith(model + "-")
        ? Optional.ofNullable(ofSuffix(name.substring(model.length() + 1)))
        : Optional.empty();
  }

  private static Role ofSuffix(String suffix) {
    Matcher call = CALL.matcher(suffix); // first: a router may be called as an engine is
    if (call.matches()) {
      return Role.call(call.group(1));
    }
    Matcher block = BLOCK.matcher(suffix);
    if (block.matches()) {
      return Role.block(block.group(1), block.group(2));
    }
    Matcher step = STEP.matcher(suffix);
    if (step.matches()) {
      return Role.step(step.group(1));
    }
    if (TEXT.matcher(suffix).matches()) {
      return Role.of(Role.Kind.TEXT);
    }
    return switch (suffix) {
      case "embed" -> Role.of(Role.Kind.EMBED);
      case "condition" -> Role.of(Role.Kind.CONDITION);
      case "head" -> Role.of(Role.Kind.HEAD);
      case "ddim" -> Role.of(Role.Kind.SAMPLER);
      case "decoder" -> Role.of(Role.Kind.DECODER);
      default -> null;
    };
  }
}
