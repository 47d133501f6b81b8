package io.harmonica;

import static io.harmonica.Golden.path;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A pipeline of Stable Diffusion 3 with two CLIPs and without a T5, of golden parts: the
 * transformer takes texts as wide as these make them.
 */
public final class Sd3Folder {
  /** Elements of an embedded token, and of the vector for a whole text. */
  public static final int TEXT_WIDTH = 40;

  public static final int POOLED = 26;

  private Sd3Folder() {}

  public static Path write(Path pipeline) throws IOException {
    Files.createDirectory(pipeline);
    ObjectNode config = Checkpoints.config(path("sd3/sd3"));
    config.put("joint_attention_dim", TEXT_WIDTH).put("pooled_projection_dim", POOLED);
    Map<String, Floats> tensors = Checkpoints.tensors(path("sd3/sd3"));
    int width = 24;
    tensors.put("context_embedder.weight", some(width, TEXT_WIDTH));
    tensors.put("time_text_embed.text_embedder.linear_1.weight", some(width, POOLED));
    Checkpoints.diffusers(pipeline.resolve("transformer"), config, tensors);
    copy(path("sd3/sd3/scheduler"), pipeline.resolve("scheduler"));
    copy(path("vae16"), pipeline.resolve("vae"));
    copy(path("clip/text_model_with_projection"), pipeline.resolve("text_encoder"));
    copy(path("clip/text_model_with_projection_2"), pipeline.resolve("text_encoder_2"));
    copy(path("clip/tokenizer"), pipeline.resolve("tokenizer"));
    copy(path("clip/tokenizer_2"), pipeline.resolve("tokenizer_2"));
    Files.writeString(
        pipeline.resolve("model_index.json"),
        "{\"_class_name\": \"StableDiffusion3Pipeline\", \"text_encoder_3\": [null, null]}");
    return pipeline;
  }

  /** Values where the golden model has none of that size. */
  public static Floats some(int rows, int columns) {
    float[] values = new float[rows * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) Math.sin(i) / 8;
    }
    return Floats.of(values, rows, columns);
  }

  /** A folder with all that is in it. */
  public static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> files = Files.walk(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(from.relativize(file).toString()));
      }
    }
  }
}
