package io.harmonica.train.trajectory;

import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * What a model that takes text is trained on, embedded by its text encoder. Each caption keeps only
 * its tokens that count: padding, which no picture depends on, would be most of it.
 *
 * @param texts the last is the null caption, which guidance leads away from
 * @param width of a token
 */
public record Captions(List<Caption> texts, int width) {
  private static final int HEX_DIGITS = 32;

  /**
   * One, embedded.
   *
   * @param states row-major [its tokens, width]
   * @param pooled the vector for the whole text; empty where a model takes none
   */
  public record Caption(float[] states, float[] pooled) {}

  public Captions {
    texts = List.copyOf(texts);
    if (texts.size() < 2) {
      throw new IllegalArgumentException("no caption beside the null caption");
    }
  }

  /**
   * The tokens of one that count.
   *
   * @param states row-major [tokens, width]
   * @param mask 1 for a token that counts, 0 for padding
   */
  public static float[] counting(float[] states, long[] mask) {
    int width = states.length / mask.length;
    float[] kept = new float[states.length];
    int filled = 0;
    for (int token = 0; token < mask.length; token++) {
      if (mask[token] != 0) {
        System.arraycopy(states, token * width, kept, filled, width);
        filled += width;
      }
    }
    return Arrays.copyOf(kept, filled);
  }

  /** Captions without the null caption; its index as well. */
  public int count() {
    return texts.size() - 1;
  }

  /** What tells them from others. */
  public String digest() {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (Caption caption : texts) {
        int states = caption.states.length;
        ByteBuffer bytes = ByteBuffer.allocate(4 * (states + caption.pooled.length));
        bytes.asFloatBuffer().put(caption.states).put(caption.pooled);
        sha.update(ByteBuffer.allocate(4).putInt(0, states));
        sha.update(bytes);
      }
      return HexFormat.of().formatHex(sha.digest()).substring(0, HEX_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has SHA-256
    }
  }

  /** Inputs of a batch whose rows have the captions of these indices. */
  Map<String, Value> inputs(TorchOps ops, Denoiser.Interface io, int[] indices) {
    Shows.Text takes = io.text().orElseThrow();
    int tokens = takes.tokens();
    int rows = indices.length;
    float[] values = new float[rows * tokens * width];
    long[] mask = new long[rows * tokens];
    float[] sizes = new float[2 * rows];
    float[] ratios = new float[rows];
    float[] pooled = new float[rows * takes.pooled()];
    float height = (float) io.height() * io.pixelsPerElement();
    float across = (float) io.width() * io.pixelsPerElement();
    for (int row = 0; row < rows; row++) {
      float[] caption = texts.get(indices[row]).states;
      System.arraycopy(
          texts.get(indices[row]).pooled, 0, pooled, row * takes.pooled(), takes.pooled());
      System.arraycopy(caption, 0, values, row * tokens * width, caption.length);
      Arrays.fill(mask, row * tokens, row * tokens + caption.length / width, 1);
      sizes[2 * row] = height;
      sizes[2 * row + 1] = across;
      ratios[row] = height / across;
    }
    Value embedding = ops.input(values, rows, tokens, width);
    Value kept = ops.input(mask, rows, tokens);
    Map<String, Value> inputs = new HashMap<>();
    inputs.put("text_embedding", embedding);
    if (takes.pooled() > 0) {
      inputs.put("pooled_text", ops.input(pooled, rows, takes.pooled()));
    }
    if (takes.mask()) {
      inputs.put("text_mask", kept);
    }
    if (takes.pictureSize()) {
      inputs.put("resolution", ops.input(sizes, rows, 2));
      inputs.put("aspect_ratio", ops.input(ratios, rows, 1));
    }
    return inputs;
  }
}
