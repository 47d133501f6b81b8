package io.harmonica.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Locale;
import java.util.Map;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/**
 * What cuts prompts into the tokens of a text encoder, a T5's or a CLIP's, by Hugging Face's
 * library; its files are read by {@code TokenizerFolder}.
 */
public final class Tokenizer implements AutoCloseable {
  private static final Map<String, String> OPTIONS =
      Map.of("addSpecialTokens", "true", "padding", "false", "truncation", "false");

  private final byte[] json;
  private final int size;
  private final long padding;
  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(byte[] json, JsonNode root, HuggingFaceTokenizer tokenizer) {
    this.json = json;
    this.size = size(root);
    this.padding = root.path("padding").path("pad_id").asLong(0); // 0 of every T5
    this.tokenizer = tokenizer;
  }

  /**
   * Opens a pipeline's folder {@code tokenizer}.
   *
   * @throws HarmonicaException if it holds none of the known files, or none that can be read
   */
  public static Tokenizer open(Path path) {
    TokenizerFolder folder = new TokenizerFolder(path);
    return of(folder.json(), folder.file().toString());
  }

  /**
   * Opens what {@link #packed} made.
   *
   * @param where it was found, for messages
   */
  public static Tokenizer unpack(String packed, String where) {
    byte[] bytes;
    try (GZIPInputStream in =
        new GZIPInputStream(new ByteArrayInputStream(Base64.getDecoder().decode(packed)))) {
      bytes = in.readAllBytes();
    } catch (IOException | IllegalArgumentException e) {
      throw new HarmonicaException(
          "%s is no tokenizer (%s); export the model again".formatted(where, e.getMessage()), e);
    }
    return of(bytes, where);
  }

  private static Tokenizer of(byte[] json, String where) {
    Library.TOKENIZERS.require();
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(json);
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no valid JSON: %s".formatted(where, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // from memory
    }
    TokenizerLibrary.load();
    try {
      return new Tokenizer(
          json, root, HuggingFaceTokenizer.newInstance(new ByteArrayInputStream(json), OPTIONS));
    } catch (IOException | RuntimeException e) {
      throw new HarmonicaException(
          "%s is no tokenizer that can be read here: %s"
              .formatted(where, HarmonicaException.oneLine(String.valueOf(e.getMessage()))),
          e);
    }
  }

  /** One more than the largest id. */
  private static int size(JsonNode root) {
    JsonNode vocabulary = root.path("model").path("vocab");
    int size = vocabulary.isArray() ? vocabulary.size() : 0; // of Unigram; else ids by token
    if (vocabulary.isObject()) {
      for (JsonNode id : vocabulary) {
        size = Math.max(size, id.asInt() + 1);
      }
    }
    for (JsonNode added : root.path("added_tokens")) {
      size = Math.max(size, added.path("id").asInt() + 1);
    }
    return size;
  }

  /** A prompt as diffusers' pipelines of PixArt prepare it when they do not clean captions. */
  public static String plain(String prompt) {
    return prompt.toLowerCase(Locale.ROOT).strip();
  }

  /** How many different tokens it knows: one more than the largest id. */
  public int size() {
    return size;
  }

  /** A prompt's tokens, brought to {@code length}. */
  public Tokens encode(String prompt, int length) {
    Encoding encoding = tokenizer.encode(prompt);
    long[] ids = encoding.getIds();
    String dropped = "";
    if (ids.length > length) {
      int from = encoding.getCharTokenSpans()[length - 1].getStart();
      dropped = prompt.substring(prompt.offsetByCodePoints(0, from)).strip();
    }
    return Tokens.of(ids, length, padding, dropped);
  }

  /** All of it as text of few characters, for {@link #unpack}. */
  public String packed() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new String(Base64.getEncoder().encode(bytes.toByteArray()), StandardCharsets.US_ASCII);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
