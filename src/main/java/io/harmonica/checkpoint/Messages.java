package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.stream.Collectors;

/** The wording of faults, always one line, whatever a file holds. */
public final class Messages {
  private static final int LONGEST_QUOTE = 200;

  private Messages() {}

  /** A name from a file in quotes, without line breaks or other control characters, shortened. */
  static String quote(String text) {
    return '\'' + printable(text) + '\'';
  }

  static String printable(String text) {
    String start = text.length() <= LONGEST_QUOTE ? text : text.substring(0, LONGEST_QUOTE) + "...";
    return start.codePoints().anyMatch(c -> Character.isISOControl(c) || c == 0x2028 || c == 0x2029)
        ? start.replaceAll("[\\p{Cntrl}\\u0080-\\u009f\\u2028\\u2029]", "?")
        : start;
  }

  /** A file whose content contradicts itself or its format. */
  static HarmonicaException damaged(Path file, String found) {
    return damaged(file, found, null);
  }

  static HarmonicaException damaged(Path file, String found, Throwable cause) {
    return new HarmonicaException(
        file + ": " + found + "; the file is damaged or not what its name says: fetch it again",
        cause);
  }

  /** A tensor that a checkpoint lacks. */
  static HarmonicaException noTensor(Path file, String name, Collection<String> names) {
    return new HarmonicaException(
        "%s has no tensor %s among its %d (%s): use a checkpoint of the expected architecture"
            .formatted(file, quote(name), names.size(), some(names)));
  }

  /** The first few of many names. */
  public static String some(Collection<String> names) {
    String first = names.stream().limit(3).map(Messages::quote).collect(Collectors.joining(", "));
    return names.size() > 3 ? first + ", ..." : first;
  }

  /** A file that cannot be opened or read. */
  static HarmonicaException unreadable(Path file, IOException cause) {
    if (Links.isGone(file)) {
      return Links.gone(file);
    }
    String why =
        cause instanceof NoSuchFileException
            ? "does not exist: check the path"
            : cause instanceof AccessDeniedException
                ? "may not be read: check its permissions"
                : "cannot be read (" + printable(String.valueOf(cause.getMessage())) + ")";
    return new HarmonicaException(file + " " + why, cause);
  }
}
