package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Shapes;
import io.harmonica.model.T5Encoder;
import io.harmonica.model.TextUse;
import io.harmonica.model.Weights;
import io.harmonica.origin.CheckpointWeights.Source;

/** Reads a T5's encoder, as Hugging Face's {@code T5EncoderModel} has it. */
final class T5Checkpoint {
  private static final String TABLE = "shared.weight";
  private static final String TABLE_AGAIN = "encoder.embed_tokens.weight";

  private T5Checkpoint() {}

  static TextCheckpoint of(Checkpoint checkpoint, JsonNode json) {
    T5Encoder encoder = encoder(new Config(json, checkpoint.path() + "/config.json"));
    String table = checkpoint.names().contains(TABLE) ? TABLE : TABLE_AGAIN;
    Weights weights =
        new CheckpointWeights(
            checkpoint, name -> Source.of(name.equals(TABLE) ? table : name), Unread.TEXT_ENCODER);
    Shapes.require(encoder, weights, TextUse.T5);
    weights.requireNothingElse();
    return new TextCheckpoint(checkpoint.path(), encoder, weights);
  }

  private static T5Encoder encoder(Config fields) {
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
    return new T5Encoder(
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
