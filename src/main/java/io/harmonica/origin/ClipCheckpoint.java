package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.ClipEncoder;
import io.harmonica.model.Shapes;
import io.harmonica.model.TextUse;
import io.harmonica.model.Weights;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.List;
import java.util.OptionalInt;

/**
 * Reads CLIP's text encoder, as Hugging Face's {@code CLIPTextModel} and {@code
 * CLIPTextModelWithProjection} have it, alone or in a whole {@code CLIPModel}.
 */
final class ClipCheckpoint {
  private static final String WHOLE = "clip";
  static final List<String> TYPES = List.of("clip_text_model", WHOLE);

  private static final String PREFIX = "text_model.";
  private static final String PROJECTION = "text_projection.weight";

  /** What older configurations say of every end: it is the largest id there, not token 2. */
  private static final int ANY_END = 2;

  private ClipCheckpoint() {}

  static TextCheckpoint of(Checkpoint checkpoint, JsonNode json) {
    String where = checkpoint.path() + "/config.json";
    boolean whole = json.path("model_type").asText().equals(WHOLE);
    Config fields = new Config(whole ? json.path("text_config") : json, where);
    boolean projects = checkpoint.names().contains(PROJECTION);
    int projection =
        projects ? new Config(json, where).integer("projection_dim", 512) : 0; // of the whole
    ClipEncoder encoder = encoder(fields, projection);
    boolean named = checkpoint.names().stream().anyMatch(name -> name.startsWith(PREFIX));
    Weights weights =
        new CheckpointWeights(
            checkpoint,
            name ->
                Source.of(
                    named || !name.startsWith(PREFIX) ? name : name.substring(PREFIX.length())),
            Unread.TEXT_ENCODER);
    TextUse.Pooled most = projects ? TextUse.Pooled.PROJECTED : TextUse.Pooled.PLAIN;
    Shapes.require(encoder, weights, new TextUse(TextUse.Kind.CLIP, TextUse.States.LAST, most));
    weights.requireNothingElse();
    return new TextCheckpoint(checkpoint.path(), encoder, weights);
  }

  private static ClipEncoder encoder(Config fields, int projection) {
    String activation = fields.json().path("hidden_act").asText("quick_gelu");
    fields.check(
        "hidden_act",
        activation.equals("quick_gelu") || activation.equals("gelu"),
        "quick_gelu or gelu");
    int width = fields.integer("hidden_size", 512);
    int heads = fields.integer("num_attention_heads", 8);
    fields.check(
        "num_attention_heads", width % heads == 0, "one that divides hidden_size " + width);
    int vocabulary = fields.integer("vocab_size", 49408);
    int end = fields.integer("eos_token_id", 49407);
    return new ClipEncoder(
        new ClipEncoder.Sizes(
            vocabulary,
            fields.integer("max_position_embeddings", 77),
            width,
            heads,
            fields.integer("intermediate_size", 2048),
            fields.integer("num_hidden_layers", 12)),
        activation.equals("quick_gelu"),
        end == ANY_END ? OptionalInt.empty() : OptionalInt.of(end),
        projection,
        fields.number("layer_norm_eps", 1e-5));
  }
}
