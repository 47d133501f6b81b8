package io.harmonica.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * CLIP's vocabulary of byte pairs as its repositories have it, {@code vocab.json} and {@code
 * merges.txt}: brought into the form of {@code tokenizer.json}, as transformers' {@code
 * CLIPTokenizer} does.
 */
final class BytePairs {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String WORD_END = "</w>";

  /** Words: letters, one digit, or anything else that is no space. */
  private static final String WORDS =
      "'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+";

  private BytePairs() {}

  /**
   * The same vocabulary as a {@code tokenizer.json}.
   *
   * @param merges the text of {@code merges.txt}, the likeliest pair first
   * @param where it was found, for messages
   */
  static ObjectNode toJson(
      JsonNode vocabulary, String merges, SpecialTokens special, String where) {
    boolean words =
        Stream.of(vocabulary)
            .flatMap(node -> node.properties().stream())
            .anyMatch(entry -> entry.getKey().endsWith(WORD_END));
    if (!words) {
      throw new HarmonicaException(
          "%s is no vocabulary of CLIP: no entry ends with '%s'; give the folder that the text encoder was published with"
              .formatted(where, WORD_END));
    }
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    ArrayNode added = root.putArray("added_tokens");
    Stream.of(special.begin(), special.end(), special.unknown())
        .distinct()
        .forEach(token -> added.add(added(token, id(vocabulary, token, where))));
    ArrayNode normalizers =
        root.putObject("normalizer").put("type", "Sequence").putArray("normalizers");
    normalizers.addObject().put("type", "NFC");
    normalizers
        .addObject()
        .put("type", "Replace")
        .put("content", " ")
        .putObject("pattern")
        .put("Regex", "\\s+");
    normalizers.addObject().put("type", "Lowercase");
    root.set("pre_tokenizer", words(special));
    root.putObject("post_processor")
        .put("type", "RobertaProcessing")
        .put("trim_offsets", false)
        .put("add_prefix_space", false)
        .setAll(
            Map.of(
                "sep",
                JSON.valueToTree(List.of(special.end(), id(vocabulary, special.end(), where))),
                "cls",
                JSON.valueToTree(
                    List.of(special.begin(), id(vocabulary, special.begin(), where)))));
    ObjectNode model =
        root.putObject("model")
            .put("type", "BPE")
            .put("unk_token", special.unknown())
            .put("continuing_subword_prefix", "")
            .put("end_of_word_suffix", WORD_END)
            .put("fuse_unk", false)
            .put("byte_fallback", false);
    model.set("vocab", vocabulary);
    ArrayNode pairs = model.putArray("merges");
    merges
        .lines()
        .filter(line -> !line.startsWith("#version") && !line.isBlank())
        .forEach(pairs::add);
    return root;
  }

  private static ObjectNode words(SpecialTokens special) {
    ObjectNode sequence = JSON.createObjectNode().put("type", "Sequence");
    ArrayNode steps = sequence.putArray("pretokenizers");
    String literally = literal(special.begin()) + "|" + literal(special.end()) + "|";
    steps
        .addObject()
        .put("type", "Split")
        .put("behavior", "Removed")
        .put("invert", true)
        .putObject("pattern")
        .put("Regex", literally + WORDS);
    steps
        .addObject()
        .put("type", "ByteLevel")
        .put("add_prefix_space", false)
        .put("trim_offsets", true)
        .put("use_regex", true);
    return sequence;
  }

  private static String literal(String token) {
    return Pattern.compile("[^\\p{Alnum}<>]").matcher(token).replaceAll("\\\\$0");
  }

  /** A token that is cut out of a text before anything else, as it is written. */
  static ObjectNode added(String token, int id) {
    ObjectNode added = JSON.createObjectNode().put("id", id).put("content", token);
    for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
      added.put(flag, false);
    }
    return added.put("special", true);
  }

  static int id(JsonNode vocabulary, String token, String where) {
    JsonNode id = vocabulary.path(token);
    if (!id.isInt()) {
      throw new HarmonicaException(
          "%s has no token '%s', which its special tokens name: give the folder that the text encoder was published with"
              .formatted(where, token));
    }
    return id.asInt();
  }
}
