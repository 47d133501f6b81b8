package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.util.Optional;
import java.util.Set;

/** What to say of a weight that a checkpoint lacks: something may stand before its names. */
final class Missing {
  private Missing() {}

  /**
   * The fault.
   *
   * @param expected what was expected of it, after its name
   * @param otherwise the remedy, where no prefix explains it
   */
  static HarmonicaException weight(
      Checkpoint checkpoint, String weight, String expected, String otherwise) {
    Set<String> names = checkpoint.names();
    String remedy =
        prefixOf(weight, names)
            .or(() -> commonPrefix(names).filter(prefix -> !weight.startsWith(prefix)))
            .map(prefix -> remedy(prefix, names))
            .orElse(otherwise);
    return new HarmonicaException(
        "%s lacks the weight %s%s; %s".formatted(checkpoint.path(), weight, expected, remedy));
  }

  /** What stands before this weight's name in another. */
  private static Optional<String> prefixOf(String weight, Set<String> names) {
    return names.stream()
        .filter(name -> name.endsWith("." + weight))
        .map(name -> name.substring(0, name.length() - weight.length()))
        .findFirst();
  }

  /** The first part that all names share. */
  private static Optional<String> commonPrefix(Set<String> names) {
    return names.stream()
        .findFirst()
        .map(name -> name.substring(0, name.indexOf('.') + 1))
        .filter(prefix -> !prefix.isEmpty())
        .filter(prefix -> names.stream().allMatch(name -> name.startsWith(prefix)));
  }

  private static String remedy(String prefix, Set<String> names) {
    long count = names.stream().filter(name -> name.startsWith(prefix)).count();
    return "%s names begin with '%s': save %s without that"
        .formatted(
            count == names.size() ? "all its" : count + " of its " + names.size(),
            prefix,
            count == names.size() ? "them" : "those alone,");
  }
}
