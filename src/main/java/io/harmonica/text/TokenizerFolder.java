package io.harmonica.text;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A tokenizer's folder, in whichever form it is, as {@code tokenizer.json}: T5's as it is or of
 * {@code spiece.model}, CLIP's as it is or of {@code vocab.json} and {@code merges.txt}.
 *
 * <p>CLIP's says in {@code padding} which token fills a text up. As transformers has it, that token
 * is cut out of texts wherever it stands: with Stable Diffusion 3's second tokenizer, which pads
 * with {@code !}, no word keeps one.
 */
record TokenizerFolder(Path folder) {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final String JSON = "tokenizer.json";
  private static final String PIECES = "spiece.model";
  private static final String VOCABULARY = "vocab.json";
  private static final String MERGES = "merges.txt";

  /** The file that says most of it, for messages. */
  Path file() {
    for (String name : new String[] {JSON, PIECES, VOCABULARY}) {
      if (Links.exists(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    throw new HarmonicaException(
        "tokenizer %s has neither %s nor %s nor %s: give the folder that the text encoder was published with"
            .formatted(folder, JSON, PIECES, VOCABULARY));
  }

  /**
   * As {@code tokenizer.json}.
   *
   * @throws HarmonicaException if a file cannot be read, or is of a tokenizer that is not known
   */
  byte[] json() {
    Path file = file();
    String where = file.toString();
    try {
      byte[] bytes = Files.readAllBytes(file);
      return switch (file.getFileName().toString()) {
        case PIECES -> SentencePiece.toJson(bytes, where);
        case VOCABULARY -> bytePairs(MAPPER.readTree(bytes), where);
        default -> padded(bytes, where);
      };
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no valid JSON: %s".formatted(where, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read tokenizer %s: %s".formatted(where, AtomicFile.reason(e)), e);
    }
  }

  private byte[] bytePairs(JsonNode vocabulary, String where) throws IOException {
    SpecialTokens.requireClip(folder);
    SpecialTokens special = SpecialTokens.of(folder);
    String merges = Files.readString(folder.resolve(MERGES), StandardCharsets.UTF_8);
    ObjectNode root = BytePairs.toJson(vocabulary, merges, special, where);
    return withPadding(root, special, where);
  }

  /** CLIP's with what it pads with; another tokenizer stays as it is. */
  private byte[] padded(byte[] bytes, String where) throws IOException {
    JsonNode root = MAPPER.readTree(bytes);
    boolean clip = root.path("model").path("end_of_word_suffix").asText().equals("</w>");
    return clip && root instanceof ObjectNode object
        ? withPadding(object, SpecialTokens.of(folder), where)
        : bytes;
  }

  private static byte[] withPadding(ObjectNode root, SpecialTokens special, String where)
      throws IOException {
    String token = special.padding().orElse(special.end());
    int id = BytePairs.id(root.path("model").path("vocab"), token, where);
    ArrayNode added = root.withArray("added_tokens");
    boolean known = false;
    for (JsonNode one : added) {
      known |= one.path("content").asText().equals(token);
    }
    if (!known) {
      added.add(BytePairs.added(token, id));
    }
    root.putObject("padding")
        .put("strategy", "BatchLongest")
        .put("direction", "Right")
        .put("pad_id", id)
        .put("pad_type_id", 0)
        .put("pad_token", token);
    return MAPPER.writeValueAsBytes(root);
  }
}
