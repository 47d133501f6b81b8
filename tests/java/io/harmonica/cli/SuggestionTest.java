package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SuggestionTest {
  private static final List<String> COMMANDS = List.of("generate", "policy", "inspect", "demo");

  @Test
  void of_closeWord_namesTheClosest() {
    assertThat(Suggestion.of("genrate", COMMANDS, "")).isEqualTo(" (did you mean 'generate'?)");
    assertThat(Suggestion.of("dem", COMMANDS, "--")).isEqualTo(" (did you mean '--demo'?)");
  }

  @Test
  void of_farWord_isSilent() {
    assertThat(Suggestion.of("x", COMMANDS, "")).isEmpty();
    assertThat(Suggestion.of("train", COMMANDS, "")).isEmpty();
  }

  @Test
  void distance_edits_areCounted() {
    assertThat(Suggestion.distance("kitten", "sitting")).isEqualTo(3);
    assertThat(Suggestion.distance("", "abc")).isEqualTo(3);
    assertThat(Suggestion.distance("abc", "abc")).isZero();
  }
}
