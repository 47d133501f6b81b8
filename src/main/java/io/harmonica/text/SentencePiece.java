package io.harmonica.text;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.WireFormat;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/**
 * T5's vocabulary as SentencePiece keeps it, {@code spiece.model}, which is all that PixArt's
 * repositories have: brought into the form of {@code tokenizer.json}. Of the format (a protobuf,
 * {@code sentencepiece_model.proto}) it reads pieces, their scores, and the normaliser.
 */
final class SentencePiece {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String SPACE = "\u2581"; // stands for a space in pieces
  private static final String END = "</s>";

  /** Field numbers. */
  private static final int PIECES = 1;

  private static final int NORMALIZER = 3;
  private static final int PIECE_TEXT = 1;
  private static final int PIECE_SCORE = 2;
  private static final int CHARSMAP = 2;

  private final ArrayNode vocabulary = JSON.createArrayNode();
  private ByteString charsmap = ByteString.EMPTY;

  private SentencePiece() {}

  /**
   * The same vocabulary as a {@code tokenizer.json}.
   *
   * @param where it was found, for messages
   */
  static byte[] toJson(byte[] model, String where) {
    SentencePiece pieces = new SentencePiece();
    try {
      pieces.read(CodedInputStream.newInstance(model));
      List<String> special = List.of("<pad>", END, "<unk>");
      for (int i = 0; i < special.size(); i++) {
        String found = pieces.vocabulary.path(i).path(0).asText();
        if (!found.equals(special.get(i))) {
          throw new HarmonicaException(
              "%s is no vocabulary of T5: piece %d is '%s', expected '%s'"
                  .formatted(where, i, found, special.get(i)));
        }
      }
      return JSON.writeValueAsBytes(pieces.json(special));
    } catch (IOException e) {
      throw new HarmonicaException(
          "%s is no SentencePiece model: %s".formatted(where, e.getMessage()), e);
    }
  }

  private void read(CodedInputStream in) throws IOException {
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      int field = WireFormat.getTagFieldNumber(tag);
      if (field == PIECES) {
        vocabulary.add(piece(in.readBytes().newCodedInput()));
      } else if (field == NORMALIZER) {
        charsmap = charsmap(in.readBytes().newCodedInput());
      } else if (!in.skipField(tag)) {
        throw new IOException("a group ends that did not begin");
      }
    }
  }

  private static ArrayNode piece(CodedInputStream in) throws IOException {
    String text = "";
    float score = 0;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      switch (WireFormat.getTagFieldNumber(tag)) {
        case PIECE_TEXT -> text = in.readString();
        case PIECE_SCORE -> score = in.readFloat();
        default -> in.skipField(tag);
      }
    }
    return JSON.createArrayNode().add(text).add((double) score);
  }

  private static ByteString charsmap(CodedInputStream in) throws IOException {
    ByteString map = ByteString.EMPTY;
    for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
      if (WireFormat.getTagFieldNumber(tag) == CHARSMAP) {
        map = in.readBytes();
      } else {
        in.skipField(tag);
      }
    }
    return map;
  }

  private ObjectNode json(List<String> special) {
    ObjectNode root = JSON.createObjectNode().put("version", "1.0");
    ArrayNode added = root.putArray("added_tokens");
    for (int i = 0; i < special.size(); i++) {
      ObjectNode token = added.addObject().put("id", i).put("content", special.get(i));
      for (String flag : List.of("single_word", "lstrip", "rstrip", "normalized")) {
        token.put(flag, false);
      }
      token.put("special", true);
    }
    if (charsmap.isEmpty()) {
      root.putNull("normalizer");
    } else {
      root.putObject("normalizer")
          .put("type", "Precompiled")
          .put("precompiled_charsmap", charsmap.toByteArray()); // in base64
    }
    ArrayNode splits =
        root.putObject("pre_tokenizer").put("type", "Sequence").putArray("pretokenizers");
    splits.addObject().put("type", "WhitespaceSplit");
    splits
        .addObject()
        .put("type", "Metaspace")
        .put("replacement", SPACE)
        .put("prepend_scheme", "always")
        .put("split", true);
    root.set("post_processor", ending());
    ObjectNode unigram = root.putObject("model").put("type", "Unigram").put("unk_id", 2);
    unigram.put("byte_fallback", false).set("vocab", vocabulary);
    return root;
  }

  /** Every text ends with its own token. */
  private static ObjectNode ending() {
    Map<String, Object> text = Map.of("Sequence", Map.of("id", "A", "type_id", 0));
    Map<String, Object> end = Map.of("SpecialToken", Map.of("id", END, "type_id", 0));
    Map<String, Object> ids = Map.of("id", END, "ids", List.of(1), "tokens", List.of(END));
    return JSON.valueToTree(
        Map.of(
            "type", "TemplateProcessing",
            "single", List.of(text, end),
            "pair", List.of(text, end),
            "special_tokens", Map.of(END, ids)));
  }
}
