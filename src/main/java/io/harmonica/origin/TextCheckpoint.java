package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.Shows;
import io.harmonica.model.TextEncoder;
import io.harmonica.model.Weights;
import io.harmonica.origin.CheckpointWeights.Source;
import java.nio.file.Path;
import java.util.Optional;

/**
 * A text encoder with the parameters to fill it: a pipeline's folder {@code text_encoder}.
 *
 * @param path that it was read from, for messages
 */
public record TextCheckpoint(Path path, TextEncoder encoder, Weights weights) {
  private static final String TYPE = "t5";
  private static final String TABLE = "shared.weight";
  private static final String TABLE_AGAIN = "encoder.embed_tokens.weight";

  /** Reads the configuration, and checks that every parameter is there in its shape. */
  public static TextCheckpoint of(Checkpoint checkpoint) {
    Optional<JsonNode> json = checkpoint.config();
    String type = json.map(fields -> fields.path("model_type").asText()).orElse("");
    if (!type.equals(TYPE)) {
      throw new HarmonicaException(
          "%s holds no text encoder: %s, expected a folder whose config.json has model_type %s"
              .formatted(
                  checkpoint.path(),
                  json.isEmpty() ? "no config.json" : "model_type is '" + type + "'",
                  TYPE));
    }
    Unread.TEXT_ENCODER.refuseWrapped(checkpoint);
    TextEncoder encoder = encoder(new Config(json.get(), checkpoint.path() + "/config.json"));
    String table = checkpoint.names().contains(TABLE) ? TABLE : TABLE_AGAIN;
    Weights weights =
        new CheckpointWeights(
            checkpoint, name -> Source.of(name.equals(TABLE) ? table : name), Unread.TEXT_ENCODER);
    Shapes.require(encoder, weights);
    weights.requireNothingElse();
    return new TextCheckpoint(checkpoint.path(), encoder, weights);
  }

  /** Refuses a denoiser that takes other texts than it makes. */
  public void requireFits(Denoiser denoiser) {
    Shows.Text takes =
        denoiser
            .io()
            .text()
            .orElseThrow(
                () ->
                    new HarmonicaException(
                        "text encoder %s has no use: a %s takes class labels"
                            .formatted(path, denoiser.architecture())));
    if (encoder.width() != takes.width()) {
      throw new HarmonicaException(
          "text encoder %s embeds tokens %d wide, and the transformer takes %d (caption_channels): give the one that it was trained with"
              .formatted(path, encoder.width(), takes.width()));
    }
  }

  private static TextEncoder encoder(Config fields) {
    fields.require("feed_forward_proj", "gated-gelu");
    fields.require("dense_act_fn", "gelu_new");
    int vocabulary = fields.integer("vocab_size", 32128);
    int heads = fields.integer("num_heads", 8);
    int headWidth = fields.integer("d_kv", 64);
    fields.check("d_kv", (long) heads * headWidth < 1 << 20, "a smaller one");
    int buckets = fields.integer("relative_attention_num_buckets", 32);
    fields.check("relative_attention_num_buckets", buckets % 4 == 0, "a multiple of 4");
    int farthest = fields.integer("relative_attention_max_distance", 128);
    fields.check(
        "relative_attention_max_distance", farthest > buckets / 4, "more than " + buckets / 4);
    return new TextEncoder(
        vocabulary,
        fields.integer("d_model", 512),
        heads,
        headWidth,
        fields.integer("d_ff", 2048),
        fields.integer("num_layers", 6),
        buckets,
        farthest,
        fields.number("layer_norm_epsilon", 1e-6));
  }
}
