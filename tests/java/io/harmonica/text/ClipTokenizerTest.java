package io.harmonica.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CLIP's tokenizer, in every form of its files, against transformers' {@code CLIPTokenizer}. */
@Tag("golden")
class ClipTokenizerTest {
  private static final Path CLIP = Golden.path("clip");

  @TempDir Path folder;

  /** The second pads with {@code !}, which it finds within words, too. */
  @ParameterizedTest
  @CsvSource({"tokenizer, ids", "tokenizer_2, ids_2", "tokenizer_json, ids"})
  void ids_areTransformers(String files, String field) {
    JsonNode golden = Golden.json("clip/prompts.json");
    int length = golden.path("max_length").asInt();
    try (Tokenizer tokenizer = Tokenizer.open(CLIP.resolve(files));
        Tokenizer copy = Tokenizer.unpack(tokenizer.packed(), "a copy")) {
      assertThat(tokenizer.size()).isEqualTo(634);
      for (int i = 0; i < golden.path("prompts").size(); i++) {
        String prompt = golden.path("prompts").path(i).asText();
        long[] expected = longs(golden.path(field).path(i));
        assertThat(tokenizer.encode(prompt, length).ids()).as(prompt).isEqualTo(expected);
        assertThat(copy.encode(prompt, length).ids()).as(prompt).isEqualTo(expected);
        JsonNode whole = golden.path("ids_untruncated").path(i);
        if (field.equals("ids")) {
          assertThat(tokenizer.encode(prompt, whole.size()).ids()).isEqualTo(longs(whole));
        }
        assertThat(tokenizer.encode(prompt, length).dropped().isEmpty())
            .isEqualTo(whole.size() <= length);
      }
    }
  }

  /** As in {@code tokenizer_2}, whose files say it in another form. */
  @Test
  void padding_besideATokenizerJson_isFollowed() throws IOException {
    copy("tokenizer_json", "tokenizer.json", "");
    copy("tokenizer_2", "special_tokens_map.json", "");
    JsonNode golden = Golden.json("clip/prompts.json");
    try (Tokenizer tokenizer = Tokenizer.open(folder)) {
      for (int i = 0; i < golden.path("prompts").size(); i++) {
        String prompt = golden.path("prompts").path(i).asText();
        assertThat(tokenizer.encode(prompt, 20).ids())
            .as(prompt)
            .isEqualTo(longs(golden.path("ids_2").path(i)));
      }
    }
  }

  private static long[] longs(JsonNode values) {
    long[] longs = new long[values.size()];
    for (int i = 0; i < longs.length; i++) {
      longs[i] = values.path(i).asLong();
    }
    return longs;
  }

  private void copy(String from, String file, String changed) throws IOException {
    String text = Files.readString(CLIP.resolve(from).resolve(file));
    if (!changed.isEmpty()) {
      String[] change = changed.split(" -> ");
      assertThat(text).contains(change[0]);
      text = text.replace(change[0], change[1]);
    }
    Files.writeString(folder.resolve(file), text);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          vocab.json              | </w> -> <w>                    | is no vocabulary of CLIP: no entry ends with '</w>'
          vocab.json              | { -> (                         | vocab.json is no valid JSON
          tokenizer_config.json   | CLIPTokenizer -> GPT2Tokenizer | field tokenizer_class is 'GPT2Tokenizer', expected CLIPTokenizer
          special_tokens_map.json | "!" -> "?!"                    | say that pad_token is ! and ?!: make them say the same
          tokenizer_config.json   | ~"<|startoftext|>" -> "<s>"~   | say that bos_token is <s> and <
          """)
  void folder_thatIsNotUnderstood_isRefused(String file, String change, String message)
      throws IOException {
    for (String name :
        new String[] {
          "vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"
        }) {
      copy("tokenizer_2", name, name.equals(file) ? change : "");
    }
    assertThatThrownBy(() -> Tokenizer.open(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(folder.toString())
        .hasMessageContaining(message);
  }

  @Test
  void files_thatAreMissing_areNamed() throws IOException {
    copy("tokenizer_2", "vocab.json", "");
    assertThatThrownBy(() -> Tokenizer.open(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("merges.txt does not exist");
    copy("tokenizer_2", "merges.txt", "");
    Files.writeString(folder.resolve("special_tokens_map.json"), "{\"pad_token\": \"<pad>\"}");
    assertThatThrownBy(() -> Tokenizer.open(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("has no token '<pad>', which its special tokens name");
  }
}
