package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;

/**
 * What the names of files share that hold a model together, as diffusers and transformers number
 * them: {@code model-00002-of-00003.safetensors}.
 *
 * @param stem what stands before the numbers, sometimes with a variant
 * @param count how many files there are
 * @param ending what follows the numbers
 */
record Shard(String stem, int count, String ending) {
  private static final Pattern NAME =
      Pattern.compile(
          "(?<stem>[\\w-]+(\\.[\\w-]+)?)-\\d{5}-of-(?<count>\\d{5})"
              + "(?<ending>(\\.[\\w-]+)?\\.(safetensors|bin))");

  static Optional<Shard> of(String name) {
    Matcher matcher = NAME.matcher(name);
    return matcher.matches()
        ? Optional.of(
            new Shard(
                matcher.group("stem"),
                Integer.parseInt(matcher.group("count")),
                matcher.group("ending")))
        : Optional.empty();
  }

  /** The name that the file would have if it were the only one. */
  String whole() {
    return stem + ending;
  }

  /** The name of the first file, which stands for all. */
  String first() {
    return name(1);
  }

  private String name(int number) {
    return "%s-%05d-of-%05d%s".formatted(stem, number, count, ending);
  }

  /**
   * All files.
   *
   * @throws HarmonicaException if some are not there
   */
  List<Path> in(Path folder) {
    List<String> names = IntStream.rangeClosed(1, count).mapToObj(this::name).toList();
    List<String> missing =
        names.stream()
            .filter(name -> !Files.exists(folder.resolve(name)))
            .filter(name -> !Links.isGone(folder.resolve(name))) // opening it tells of that
            .toList();
    if (names.isEmpty() || !missing.isEmpty()) {
      throw new HarmonicaException(
          "%s lacks %d of the %d files that hold %s together (%s): fetch them, too"
              .formatted(folder, missing.size(), count, whole(), Messages.some(missing)));
    }
    return names.stream().map(folder::resolve).toList();
  }
}
