package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.TextEncoder;
import io.harmonica.model.TextUse;
import io.harmonica.model.Weights;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/**
 * A text encoder with the parameters to fill it: a pipeline's folder {@code text_encoder}.
 *
 * @param path that it was read from, for messages
 */
public record TextCheckpoint(Path path, TextEncoder encoder, Weights weights) {
  private static final String T5 = "t5";

  /** Reads the configuration, and checks that every parameter is there in its shape. */
  public static TextCheckpoint of(Checkpoint checkpoint) {
    Optional<JsonNode> json = checkpoint.config();
    String type = json.map(fields -> fields.path("model_type").asText()).orElse("");
    if (!type.equals(T5) && !ClipCheckpoint.TYPES.contains(type)) {
      throw new HarmonicaException(
          "%s holds no text encoder: %s, expected a folder whose config.json has model_type %s or %s"
              .formatted(
                  checkpoint.path(),
                  json.isEmpty() ? "no config.json" : "model_type is '" + type + "'",
                  T5,
                  String.join(" or ", ClipCheckpoint.TYPES)));
    }
    Unread.TEXT_ENCODER.refuseWrapped(checkpoint);
    return type.equals(T5)
        ? T5Checkpoint.of(checkpoint, json.get())
        : ClipCheckpoint.of(checkpoint, json.get());
  }

  /** Refuses what is not of the kind that a denoiser uses, or lacks what it uses. */
  void requireKind(TextUse use) {
    if (encoder.kind() != use.kind()) {
      throw new HarmonicaException(
          "text encoder %s is a %s, and the transformer takes a %s: give the one that it was trained with"
              .formatted(path, encoder.kind(), use.kind()));
    }
    if (use.pooled() != TextUse.Pooled.NONE && encoder.pooledWidth(use.pooled()) == 0) {
      throw new HarmonicaException(
          "text encoder %s has no text_projection, and the transformer takes a %s text: give the one that it was trained with"
              .formatted(path, use.pooled().name().toLowerCase(Locale.ROOT)));
    }
  }
}
