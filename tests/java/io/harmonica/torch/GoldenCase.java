package io.harmonica.torch;

import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.longs;
import static io.harmonica.Golden.path;
import static io.harmonica.Golden.size;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Longs;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A golden model with one pass.
 *
 * @param checkpoint its weights, where they must not be copied beside {@code config}
 * @param config a configuration to use instead of its own; may be null
 * @param inputs the file and the names in it of sample, timesteps and labels
 * @param outputs the file with the results
 * @param output the prediction's name in it
 * @param mlp what the vectors call that branch; null where they have no branch outputs
 */
record GoldenCase(
    String checkpoint,
    String config,
    String inputs,
    List<String> names,
    String outputs,
    String output,
    String mlp) {
  private static final List<String> DIFFUSERS =
      List.of("hidden_states", "timestep", "class_labels");

  private static final List<String> PIXART =
      List.of(
          "hidden_states",
          "timestep",
          "encoder_hidden_states",
          "encoder_attention_mask",
          "resolution",
          "aspect_ratio");

  private static final List<String> UVIT = List.of("x", "timesteps", "y", "context");

  private static final List<String> FLUX =
      List.of("latents", "timestep", "encoder_hidden_states", "pooled_projections", "guidance");

  private static final List<String> SD3 =
      List.of("hidden_states", "timestep", "encoder_hidden_states", "pooled_projections");

  @Override
  public String toString() {
    return config == null ? checkpoint : config;
  }

  static Stream<GoldenCase> all() throws IOException {
    return Stream.of(dits(), pixArts(), uVits(), ofTwoStreams()).flatMap(List::stream);
  }

  static List<GoldenCase> dits() {
    String io = "dit/io.safetensors";
    String half = "dit/io_half.safetensors";
    String eps = "dit/io_norm_eps.safetensors";
    String facebook = "dit-facebook/io.safetensors";
    return List.of(
        new GoldenCase("dit", null, io, DIFFUSERS, io, "output", "ff"),
        new GoldenCase("dit/legacy", null, io, DIFFUSERS, io, "output", "ff"),
        new GoldenCase("dit", "dit/config_norm_eps.json", io, DIFFUSERS, eps, "output", null),
        new GoldenCase("dit/fp16", null, io, DIFFUSERS, half, "fp16", null),
        new GoldenCase("dit/bf16", null, io, DIFFUSERS, half, "bf16", null),
        new GoldenCase(
            "dit-facebook/model.pt",
            null,
            facebook,
            List.of("x", "t", "y"),
            facebook,
            "output_facebook",
            "mlp"));
  }

  /** Every flavour at every size. */
  static List<GoldenCase> pixArts() throws IOException {
    List<GoldenCase> cases = new ArrayList<>();
    try (Stream<Path> files = Files.walk(path("pixart"))) {
      for (Path file : files.sorted().toList()) {
        if (file.getFileName().toString().matches("io.*\\.safetensors")) {
          String io = path("").relativize(file).toString();
          String folder = path("").relativize(file.getParent()).toString();
          cases.add(new GoldenCase(folder, null, io, PIXART, io, "output", "ff"));
        }
      }
    }
    return cases;
  }

  static List<GoldenCase> uVits() {
    return UVitVectors.all().stream()
        .map(
            vectors -> {
              String io = vectors.folder() + "/io.safetensors";
              String weights = vectors.folder() + "/model.pth";
              return new GoldenCase(weights, null, io, UVIT, io, "output", "mlp");
            })
        .toList();
  }

  /** Whose joint attention the vectors have in halves. */
  static List<GoldenCase> ofTwoStreams() {
    List<GoldenCase> cases = new ArrayList<>();
    for (String flavour : List.of("flux/dev", "flux/schnell", "sd3/sd3", "sd3/sd35-medium")) {
      String io = flavour + "/io.safetensors";
      List<String> names = flavour.startsWith("flux") ? FLUX : SD3;
      cases.add(new GoldenCase(flavour, null, io, names, io, "output", null));
    }
    return cases;
  }

  boolean exists() {
    return Files.exists(path(checkpoint));
  }

  /**
   * Opens its checkpoint.
   *
   * @param folder for a copy of it
   */
  Checkpoint open(Path folder) throws IOException {
    if (config == null) {
      return Checkpoint.open(path(checkpoint));
    }
    Path copy = Files.createDirectory(folder.resolve("checkpoint"));
    Files.copy(path(config), copy.resolve("config.json"));
    String weights = "diffusion_pytorch_model.safetensors";
    Files.copy(path(checkpoint).resolve(weights), copy.resolve(weights));
    return Checkpoint.open(copy);
  }

  Model model(Checkpoint source, Checkpoint io) {
    return Model.of(source, choices(io));
  }

  private Choices choices(Checkpoint io) {
    if (names == UVIT) {
      return new UVitVectors(checkpoint.replace("/model.pth", "")).choices();
    }
    if (checkpoint.endsWith(".pt")) {
      JsonNode arch = Golden.json("dit-facebook/arch.json").path("config");
      return Choices.NONE.withHeads(OptionalInt.of(arch.path("heads").asInt()));
    }
    if (names.contains("encoder_hidden_states")) {
      String sample = names.get(0);
      return Choices.NONE
          .withResolution(new Resolution(8 * size(io, sample, 2), 8 * size(io, sample, 3)))
          .withTextTokens(size(io, "encoder_hidden_states", 1));
    }
    return Choices.NONE;
  }

  /** {@link Floats} or {@link Longs} by our names. */
  Map<String, Object> inputs(Checkpoint io) {
    Map<String, Object> inputs = new HashMap<>();
    int rows = size(io, names.get(0), 0);
    inputs.put("sample", tensor(io, names.get(0)));
    if (names == UVIT) {
      inputs.put("timestep", new Floats(floats(io, "timesteps"), rows, 1));
      if (io.names().contains("y")) {
        inputs.put("class_label", new Longs(longs(io, "y"), rows, 1));
      }
      if (io.names().contains("context")) {
        inputs.put("text_embedding", tensor(io, "context"));
      }
      return inputs;
    }
    if (names == FLUX || names == SD3) {
      float[] timesteps = floats(io, "timestep");
      for (int i = 0; names == FLUX && i < rows; i++) {
        timesteps[i] *= 1000; // theirs goes from 0 to 1
      }
      inputs.put("timestep", new Floats(timesteps, rows, 1));
      inputs.put("text_embedding", tensor(io, "encoder_hidden_states"));
      inputs.put("pooled_text", tensor(io, "pooled_projections"));
      if (io.names().contains("guidance")) {
        inputs.put("guidance_scale", new Floats(floats(io, "guidance"), rows, 1));
      }
      return inputs;
    }
    inputs.put("timestep", new Longs(longs(io, names.get(1)), rows, 1));
    if (names != PIXART) {
      inputs.put("class_label", new Longs(longs(io, names.get(2)), rows, 1));
      return inputs;
    }
    inputs.put("text_embedding", tensor(io, "encoder_hidden_states"));
    String mask = "encoder_attention_mask";
    inputs.put("text_mask", new Longs(longs(io, mask), rows, size(io, mask, 1)));
    for (String size : List.of("resolution", "aspect_ratio")) {
      if (io.names().contains(size)) {
        inputs.put(size, tensor(io, size));
      }
    }
    return inputs;
  }

  /** The same in libtorch. */
  Map<String, Value> inputs(Checkpoint io, TorchOps ops) {
    Map<String, Value> values = new HashMap<>();
    inputs(io)
        .forEach(
            (name, input) ->
                values.put(
                    name,
                    input instanceof Floats floats
                        ? ops.input(floats.values(), floats.shape())
                        : ops.input(((Longs) input).values(), ((Longs) input).shape())));
    return values;
  }

  private static Floats tensor(Checkpoint io, String name) {
    long[] shape = io.tensor(name).shape().stream().mapToLong(Long::longValue).toArray();
    return new Floats(floats(io, name), shape);
  }
}
