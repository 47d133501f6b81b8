package io.harmonica;

import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.size;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Choices;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/** Golden U-ViTs: folders of a model, its constructor's arguments, and one pass. */
public record UVitVectors(String folder) {

  /** Absolute, as the vectors' READMEs state it: for the prediction, and for branch outputs. */
  public static final double OUTPUT = 5e-5;

  public static final double BRANCH = 1e-4;

  /** Every flavour. */
  public static List<UVitVectors> all() {
    return List.of("class-conv", "class-noconv", "t2i", "uncond").stream()
        .map(name -> new UVitVectors("uvit/" + name))
        .toList();
  }

  public Path checkpoint() {
    return Golden.path(folder + "/model.pth");
  }

  public Checkpoint io() {
    return Golden.open(folder + "/io.safetensors");
  }

  public JsonNode config() {
    return Golden.json(folder + "/config.json");
  }

  /** Blocks but the middle one. */
  public int depth() {
    return config().path("depth").asInt();
  }

  /** What the file does not say. */
  public Choices choices() {
    Choices choices =
        Choices.NONE
            .withHeads(OptionalInt.of(config().path("num_heads").asInt()))
            .withSchedule(UVitSchedule.DISCRETE);
    return config().has("num_clip_token")
        ? choices.withTextTokens(config().path("num_clip_token").asInt())
        : choices;
  }

  /** {@code float[]} or {@code long[]} by our names. */
  public static Map<String, Object> inputs(Checkpoint io) {
    Map<String, Object> inputs = new HashMap<>();
    inputs.put("sample", floats(io, "x"));
    inputs.put("timestep", floats(io, "timesteps"));
    if (io.names().contains("y")) {
      inputs.put("class_label", longs(io, "y"));
    }
    if (io.names().contains("context")) {
      inputs.put("text_embedding", floats(io, "context"));
    }
    return inputs;
  }

  /** Pictures of the pass. */
  public static int rows(Checkpoint io) {
    return size(io, "x", 0);
  }

  @Override
  public String toString() {
    return folder;
  }
}
