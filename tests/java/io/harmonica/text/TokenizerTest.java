package io.harmonica.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  private static final Path FOLDER = Golden.path("t5/tokenizer");

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"tokenizer.json", "spiece.model"})
  @Tag("golden")
  void ids_areTransformers(String file) throws IOException {
    Files.copy(FOLDER.resolve(file), folder.resolve(file));
    JsonNode golden = Golden.json("t5/prompts.json");
    int length = golden.path("max_length").asInt();
    try (Tokenizer tokenizer = Tokenizer.open(folder);
        Checkpoint io = Golden.open("t5/io.safetensors")) {
      long[] ids = Golden.longs(io, "input_ids");
      long[] mask = Golden.longs(io, "attention_mask");
      int row = 0;
      for (JsonNode prompt : golden.path("prompts")) {
        Tokens tokens = tokenizer.encode(prompt.path("prompt").asText(), length);
        assertThat(tokens.ids())
            .as(prompt.toString())
            .isEqualTo(Arrays.copyOfRange(ids, row * length, (row + 1) * length));
        assertThat(tokens.mask())
            .isEqualTo(Arrays.copyOfRange(mask, row * length, (row + 1) * length));
        row++;
      }
      assertThat(row).isPositive();
    }
  }

  @Test
  void whatDoesNotFit_isCutBeforeTheEnd_andToldAsItWasWritten() {
    String prompt = "A small lantern, ÄÖ 𝄞 beside the OLD bridge";
    try (Tokenizer tokenizer = Tokenizer.open(FOLDER)) {
      Tokens whole = tokenizer.encode(prompt, 60);
      assertThat(whole.dropped()).isEmpty();
      int length = (int) Arrays.stream(whole.mask()).sum();
      assertThat(whole.ids()[length - 1]).isEqualTo(1);
      Tokens exact = tokenizer.encode(prompt, length);
      assertThat(exact.dropped()).isEmpty();
      assertThat(exact.ids()).isEqualTo(Arrays.copyOf(whole.ids(), length));
      Tokens cut = tokenizer.encode(prompt, length - 1);
      assertThat(prompt).endsWith(cut.dropped());
      assertThat(cut.dropped()).isNotEmpty();
      assertThat(cut.ids()[length - 2]).isEqualTo(1);
      assertThat(cut.mask()).containsOnly(1);
      assertThat(tokenizer.encode(prompt, 1).dropped()).isEqualTo(prompt);
    }
  }

  @Test
  void packed_isTheSame() {
    try (Tokenizer tokenizer = Tokenizer.open(FOLDER);
        Tokenizer copy = Tokenizer.unpack(tokenizer.packed(), "a copy")) {
      assertThat(copy.size()).isEqualTo(tokenizer.size()).isGreaterThan(100);
      assertThat(copy.encode("red lantern", 9).ids())
          .isEqualTo(tokenizer.encode("red lantern", 9).ids());
    }
    assertThatThrownBy(() -> Tokenizer.unpack("nothing!", "parameter x"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("parameter x is no tokenizer");
  }

  @Test
  void plain_isLowerCase_withoutSpaceAround() {
    assertThat(Tokenizer.plain("  A Red\tLantern \n")).isEqualTo("a red\tlantern");
  }

  @Test
  void folderWithoutTokenizerJson_isRefused() {
    assertThatThrownBy(() -> Tokenizer.open(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("has neither tokenizer.json nor spiece.model nor vocab.json");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          tokenizer.json | {             | tokenizer.json is no valid JSON
          tokenizer.json | {"model": {}} | tokenizer.json is no tokenizer that can be read here
          spiece.model   | abc           | spiece.model is no SentencePiece model
          spiece.model   | ~~            | spiece.model is no vocabulary of T5: piece 0 is '', expected '<pad>'
          """)
  void damagedTokenizer_isRefused(String file, String text, String message) throws IOException {
    Files.writeString(folder.resolve(file), text);
    assertThatThrownBy(() -> Tokenizer.open(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(message);
  }
}
