package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.picture.Latents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Samples and embedded texts in safetensors files that other implementations read and write. */
public final class TensorFiles {
  private static final String LATENTS = "latents";

  /** As the arguments of diffusers' PixArt pipelines. */
  private static final String PROMPT = "prompt_embeds";

  private static final String PROMPT_MASK = "prompt_attention_mask";
  private static final String POOLED = "pooled_prompt_embeds";
  private static final String NEGATIVE = "negative_";

  private TensorFiles() {}

  /** Writes {@code latents} [n, channels, height, width], a folder for them too. */
  public static void save(Latents latents, Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    SafetensorsWriter.write(
        file,
        Map.of(
            LATENTS,
            SafetensorsWriter.Floats.of(
                latents.values(),
                latents.count(),
                latents.channels(),
                latents.height(),
                latents.width())));
  }

  /** {@code latents} [n, channels, height, width]. */
  public static Latents latents(Path file) {
    try (Checkpoint tensors = Checkpoint.open(file)) {
      String where = "`latents` " + file;
      StoredTensor tensor = tensor(tensors, where, LATENTS, "n, channels, height, width");
      List<Integer> shape = shape(tensor);
      return new Latents(
          finite(where, tensor), shape.get(0), shape.get(1), shape.get(2), shape.get(3));
    }
  }

  /**
   * {@code prompt_embeds} [n, tokens, width] and {@code prompt_attention_mask} [n, tokens], and the
   * two again with {@code negative_} before them, of one row or n, where guidance needs them. A
   * model that takes {@code pooled_prompt_embeds} [n, elements], too, is told no mask.
   */
  public static Content.Texts prompts(Path file) {
    try (Checkpoint tensors = Checkpoint.open(file)) {
      String where = "`textEmbeddings` " + file;
      Embeddings positive = embeddings(tensors, where, "");
      boolean guided = tensors.names().contains(NEGATIVE + PROMPT);
      return new Content.Texts(
          positive, guided ? Optional.of(embeddings(tensors, where, NEGATIVE)) : Optional.empty());
    } catch (IllegalArgumentException e) {
      throw new HarmonicaException("`textEmbeddings` %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static Embeddings embeddings(Checkpoint tensors, String where, String prefix) {
    StoredTensor states = tensor(tensors, where, prefix + PROMPT, "n, tokens, width");
    float[] pooled = pooled(tensors, where, prefix, states);
    List<Integer> shape = shape(states);
    if (!tensors.names().contains(prefix + PROMPT_MASK) && pooled.length > 0) {
      long[] all = new long[shape.get(0) * shape.get(1)];
      Arrays.fill(all, 1);
      return new Embeddings(
          finite(where, states), all, shape.get(0), shape.get(1), shape.get(2), pooled);
    }
    StoredTensor mask = tensor(tensors, where, prefix + PROMPT_MASK, "n, tokens");
    if (!mask.shape().equals(states.shape().subList(0, 2))) {
      throw new HarmonicaException(
          "%s: tensor '%s' has shape %s, expected %s as '%s' has"
              .formatted(
                  where,
                  prefix + PROMPT_MASK,
                  mask.shape(),
                  states.shape().subList(0, 2),
                  prefix + PROMPT));
    }
    long[] kept = mask(where, mask);
    return new Embeddings(
        finite(where, states), kept, shape.get(0), shape.get(1), shape.get(2), pooled);
  }

  private static float[] pooled(
      Checkpoint tensors, String where, String prefix, StoredTensor states) {
    String name = prefix + POOLED;
    if (!tensors.names().contains(name)) {
      return new float[0];
    }
    StoredTensor pooled = tensor(tensors, where, name, "n, elements");
    if (!pooled.shape().get(0).equals(states.shape().get(0))) {
      throw new HarmonicaException(
          "%s: tensor '%s' has %d rows, expected %d as '%s' has"
              .formatted(
                  where, name, pooled.shape().get(0), states.shape().get(0), prefix + PROMPT));
    }
    return finite(where, pooled);
  }

  /** Ones and zeros, of any type: pipelines store a mask as integers, booleans or floats. */
  private static long[] mask(String where, StoredTensor mask) {
    if (!mask.dtype().isFloating()) {
      return mask.longs();
    }
    float[] values = mask.floats();
    long[] kept = new long[values.length];
    for (int i = 0; i < kept.length; i++) {
      if (values[i] != 0 && values[i] != 1) {
        throw new HarmonicaException(
            "%s: tensor '%s' holds %s, expected 1 for each token that counts and 0 for padding: store the tokenizer's attention_mask"
                .formatted(where, mask.name(), values[i]));
      }
      kept[i] = (long) values[i];
    }
    return kept;
  }

  private static StoredTensor tensor(
      Checkpoint tensors, String where, String name, String dimensions) {
    if (!tensors.names().contains(name)) {
      throw new HarmonicaException(
          "%s has no tensor '%s', only %s".formatted(where, name, tensors.names()));
    }
    StoredTensor tensor = tensors.tensor(name);
    if (tensor.shape().size() != dimensions.split(", ").length || tensor.elements() == 0) {
      throw new HarmonicaException(
          "%s: tensor '%s' has shape %s, expected [%s]"
              .formatted(where, name, tensor.shape(), dimensions));
    }
    return tensor;
  }

  private static List<Integer> shape(StoredTensor tensor) {
    return tensor.shape().stream().map(Math::toIntExact).toList();
  }

  private static float[] finite(String where, StoredTensor tensor) {
    float[] values = tensor.floats();
    for (float value : values) {
      if (!Float.isFinite(value)) {
        throw new HarmonicaException(
            "%s holds %s, expected finite numbers".formatted(where, value));
      }
    }
    return values;
  }
}
