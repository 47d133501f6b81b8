package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.UUID;

/** Texts of the command line: words of an option, or lines of a file. */
final class TextLines {
  private static final String MARK = "\uFEFF"; // some editors begin UTF-8 with it

  private TextLines() {}

  /** The values of {@code option}, or else the lines of {@code fileOption}'s file. */
  static List<String> of(Arguments arguments, String option, String fileOption) {
    return arguments.has(option)
        ? arguments.texts(option)
        : read(fileOption, arguments.requiredPath(fileOption));
  }

  /** What other texts do not share: their number, and 128 bits of their content. */
  static String digest(List<String> texts) {
    byte[] content = String.join("\n", texts).getBytes(StandardCharsets.UTF_8);
    return "%d of %s".formatted(texts.size(), UUID.nameUUIDFromBytes(content));
  }

  /** Lines of a UTF-8 file that are not blank. */
  static List<String> read(String option, Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (MalformedInputException e) {
      throw new HarmonicaException(
          "--%s %s is no UTF-8 text: save it as such, a text a line".formatted(option, file), e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read --%s %s: %s".formatted(option, file, AtomicFile.reason(e)), e);
    }
    if (!lines.isEmpty() && lines.get(0).startsWith(MARK)) {
      lines.set(0, lines.get(0).substring(MARK.length()));
    }
    List<String> texts = lines.stream().map(String::strip).filter(l -> !l.isEmpty()).toList();
    if (texts.isEmpty()) {
      throw new HarmonicaException(
          "--%s %s holds no text, expected one a line".formatted(option, file));
    }
    return texts;
  }
}
