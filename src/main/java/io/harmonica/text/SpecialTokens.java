package io.harmonica.text;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The tokens with a meaning of their own, as {@code tokenizer_config.json} and {@code
 * special_tokens_map.json} beside a tokenizer name them; what neither names is CLIP's.
 *
 * @param padding empty where neither names it
 */
record SpecialTokens(String begin, String end, String unknown, Optional<String> padding) {
  private static final List<String> FILES =
      List.of("tokenizer_config.json", "special_tokens_map.json");
  private static final List<String> CLASSES = List.of("", "CLIPTokenizer", "CLIPTokenizerFast");

  static SpecialTokens of(Path folder) {
    List<JsonNode> files = new ArrayList<>();
    for (String name : FILES) {
      if (Links.exists(folder.resolve(name))) {
        files.add(read(folder.resolve(name)));
      }
    }
    return new SpecialTokens(
        token(files, "bos_token", folder).orElse("<|startoftext|>"),
        token(files, "eos_token", folder).orElse("<|endoftext|>"),
        token(files, "unk_token", folder).orElse("<|endoftext|>"),
        token(files, "pad_token", folder));
  }

  /** Refuses byte pairs that are cut in another model's way. */
  static void requireClip(Path folder) {
    Path config = folder.resolve(FILES.get(0));
    if (!Links.exists(config)) {
      return;
    }
    String type = read(config).path("tokenizer_class").asText();
    if (!CLASSES.contains(type)) {
      throw new HarmonicaException(
          "%s: field tokenizer_class is '%s', expected CLIPTokenizer, the only one of byte pairs supported"
              .formatted(config, type));
    }
  }

  private static Optional<String> token(List<JsonNode> files, String field, Path folder) {
    List<String> found =
        files.stream()
            .map(file -> file.path(field))
            .map(value -> value.isObject() ? value.path("content") : value)
            .filter(JsonNode::isTextual)
            .map(JsonNode::asText)
            .distinct()
            .toList();
    if (found.size() > 1) {
      throw new HarmonicaException(
          "tokenizer %s: %s say that %s is %s: make them say the same"
              .formatted(folder, String.join(" and ", FILES), field, String.join(" and ", found)));
    }
    return found.stream().findFirst();
  }

  private static JsonNode read(Path file) {
    try {
      return new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read tokenizer %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }
}
