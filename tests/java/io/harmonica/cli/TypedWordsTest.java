package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Java 17 makes of words that the locale does not cover: U+FFFD a byte (LauncherTest). */
class TypedWordsTest {
  @Test
  void wordsInUtf8_pass() {
    String[] words = {"generate", "--prompt", "café, naïve? 猫", "--out", "/tmp/über"};
    assertThatCode(() -> TypedWords.require(words)).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          LC_ALL=C                             | ANSI_X3.4-1968 | (LC_ALL=C)             | set LC_ALL to one of UTF-8
          LANG=en_US.UTF-8                     | ANSI_X3.4-1968 | (LANG=en_US.UTF-8)     | set LC_ALL to one of UTF-8
          LC_ALL=,LC_CTYPE=UTF-8,LANG=de_DE    | ANSI_X3.4-1968 | (LC_CTYPE=UTF-8)       | set LC_ALL to one of UTF-8
          TERM=xterm                           | ANSI_X3.4-1968 | (none is set)          | set LC_ALL to one of UTF-8
          LC_ALL=C.UTF-8                       | UTF-8          | (LC_ALL=C.UTF-8)       | type it in UTF-8
          """)
  void garbledWord_isRefused_withTheLocale(
      String variables, String characters, String locale, String remedy) {
    Map<String, String> environment =
        java.util.Arrays.stream(variables.split(","))
            .map(variable -> variable.split("=", 2))
            .collect(java.util.stream.Collectors.toMap(pair -> pair[0], pair -> pair[1]));
    String[] words = {"--model", "m", "--prompt", "caf\uFFFD\uFFFD"};
    assertThatThrownBy(() -> TypedWords.require(words, environment, characters))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(
            "--prompt 'caf\uFFFD\uFFFD' was not read as it was typed: the locale here " + locale)
        .hasMessageContainingAll("characters " + characters, remedy);
  }

  @Test
  void everyCommand_refusesThem_whereverTheyStand() {
    for (String[] line :
        new String[][] {
          {"generate", "--model-repository", "d\uFFFD", "--model", "m"},
          {"inspect", "--router=r\uFFFD.json"},
          {"import-router", "\uFFFD.pt"},
          {"polic\uFFFD"}
        }) {
      Invocation refused = Invocation.of(line);
      assertThat(refused.err()).contains("was not read as it was typed").hasLineCount(1);
      assertThat(refused.code()).isEqualTo(1);
    }
    Invocation export =
        Invocation.run(
            console ->
                HarmonicaExport.run(
                    new String[] {"--checkpoint", "\uFFFD"}, console.out(), console.err()));
    assertThat(export.err()).contains("--checkpoint '\uFFFD' was not read");
  }
}
