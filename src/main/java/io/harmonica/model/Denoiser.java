package io.harmonica.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A diffusion transformer, written once and interpreted by any {@link Ops}.
 *
 * <p>A pass is {@code embed}, then for each branch {@code join(branch(...))} in order, then {@code
 * head}. Legend of shape comments: B batch, N tokens, D hidden width, C channels, P patch.
 */
public interface Denoiser {

  /** Name of the tokens among the results of {@link #embed}. */
  String HIDDEN = "hidden";

  /** What identifies the structure, for routers: {@code DiT-XL/2}, {@code DiT-10x192/4}. */
  String architecture();

  /** What a client must know. */
  Interface io();

  /** The branches in execution order. */
  List<Branch> branches();

  /** Tokens times width of a branch output. */
  long branchElements();

  /**
   * The tokens (as {@link #HIDDEN}, (B, N, D)) and everything that depends on timestep and
   * condition only.
   *
   * @param inputs by the names of {@link Interface#inputs}
   */
  <T> Map<String, T> embed(Ops<T> ops, Map<String, T> inputs);

  /** A branch's output before its gate: (B, N, D). */
  <T> T branch(Ops<T> ops, Branch branch, T hidden, Conditioning<T> conditioning);

  /** What a branch's output is multiplied by before it joins the hidden state: (B, 1, D). */
  <T> T gate(Ops<T> ops, Branch branch, Conditioning<T> conditioning);

  /** {@code hidden + gate * output}: (B, N, D). */
  default <T> T join(Ops<T> ops, Branch branch, T hidden, T output, Conditioning<T> conditioning) {
    return ops.add(hidden, ops.mul(gate(ops, branch, conditioning), output));
  }

  /** The model's prediction: (B, outputChannels, H, W), fp32. */
  <T> T head(Ops<T> ops, T hidden, Conditioning<T> conditioning);

  /**
   * The model seen from outside.
   *
   * @param channels C of a sample; a prediction has more where the model learned a variance
   * @param classes number of labels; {@code classes} itself is the label of guidance's null class
   * @param spacing how the samplers of this model's origin space their timesteps: {@code leading},
   *     {@code openai}
   * @param guidanceChannels how many channels guidance acts on where this model comes from
   */
  record Interface(
      int channels,
      int outputChannels,
      int height,
      int width,
      int classes,
      String spacing,
      int guidanceChannels) {

    /** Inputs by name with their shape after the batch; integers are int64. */
    public Map<String, long[]> inputs() {
      Map<String, long[]> inputs = new LinkedHashMap<>();
      inputs.put("sample", new long[] {channels, height, width});
      inputs.put("timestep", new long[] {1});
      inputs.put("class_label", new long[] {1});
      return inputs;
    }
  }
}
