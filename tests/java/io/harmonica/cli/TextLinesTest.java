package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TextLinesTest {
  @TempDir Path folder;

  /** Windows' editors write it; as a part of the first prompt it would draw another picture. */
  @Test
  void byteOrderMark_isNoPartOfTheFirstText() throws IOException {
    Path file = Files.writeString(folder.resolve("prompts"), "\uFEFFcafé\r\n\r\n naïve \r\n");
    assertThat(TextLines.read("prompts", file)).containsExactly("café", "naïve");
  }

  @Test
  void textThatIsNotUtf8_isRefused() throws IOException {
    Path file =
        Files.write(folder.resolve("prompts"), "a\ncafé".getBytes(StandardCharsets.ISO_8859_1));
    assertThatThrownBy(() -> TextLines.read("prompts", file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("--prompts " + file + " is no UTF-8 text");
  }
}
