package io.harmonica.model;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A diffusion transformer, written once and interpreted by any {@link Ops}.
 *
 * <p>A pass is {@code embed}, then for each branch {@code join(branch(...))} in order, then {@code
 * head}. Legend of shape comments: B batch, N tokens, D hidden width, C channels, P patch.
 */
public interface Denoiser {

  /** Name of the tokens among the results of {@link #embed}. */
  String HIDDEN = "hidden";

  /** Name of the noisy sample among the inputs. */
  String SAMPLE = "sample";

  /** What identifies the structure, for routers: {@code DiT-XL/2}, {@code DiT-10x192/4}. */
  String architecture();

  /** What a client must know. */
  Interface io();

  /** The branches in execution order. */
  List<Branch> branches();

  /** Their names, as routers list them. */
  default List<String> branchNames() {
    return branches().stream().map(Branch::name).toList();
  }

  /** Tokens times width of a branch output. */
  long branchElements();

  /** The tokens of a sample: (B, N, D). */
  <T> T tokens(Ops<T> ops, T sample);

  /**
   * Everything that depends on timestep and condition only, by name. No sample is needed: whoever
   * knows the timesteps can have it for several steps at once.
   *
   * @param inputs by the names of {@link Interface#inputs}
   */
  <T> Map<String, T> condition(Ops<T> ops, Map<String, T> inputs);

  /** Both: the tokens as {@link #HIDDEN}. */
  default <T> Map<String, T> embed(Ops<T> ops, Map<String, T> inputs) {
    Map<String, T> embedded = new LinkedHashMap<>();
    embedded.put(HIDDEN, tokens(ops, inputs.get(SAMPLE)));
    embedded.putAll(condition(ops, inputs));
    return embedded;
  }

  /** A branch's output before its gate: (B, N, D). */
  <T> T branch(Ops<T> ops, Branch branch, T hidden, Conditioning<T> conditioning);

  /**
   * What a branch's output is multiplied by before it joins the hidden state: (B, 1, D). None where
   * it joins as it is, as cross-attention's.
   */
  <T> Optional<T> gate(Ops<T> ops, Branch branch, Conditioning<T> conditioning);

  /** {@code hidden + gate * output}: (B, N, D). */
  default <T> T join(Ops<T> ops, Branch branch, T hidden, T output, Conditioning<T> conditioning) {
    Optional<T> gate = gate(ops, branch, conditioning);
    return ops.add(hidden, gate.isPresent() ? ops.mul(gate.get(), output) : output);
  }

  /** The model's prediction: (B, outputChannels, H, W), fp32. */
  <T> T head(Ops<T> ops, T hidden, Conditioning<T> conditioning);

  /**
   * The model seen from outside.
   *
   * @param channels C of a sample; a prediction has more where the model learned a variance
   * @param pixelsPerElement side of the square of pixels that an element of a sample stands for: 1
   *     for a model that works on pixels, 8 in the latent space of the usual autoencoders
   * @param classes number of labels; {@code classes} itself is the label of guidance's null class;
   *     0 for a model that takes text
   * @param text what text it takes
   * @param sampler that this model's origin draws with
   * @param spacing how the samplers of this model's origin space their timesteps: {@code leading},
   *     {@code openai}
   * @param guidanceChannels how many channels guidance acts on where this model comes from
   */
  record Interface(
      int channels,
      int outputChannels,
      int height,
      int width,
      int pixelsPerElement,
      int classes,
      Optional<Text> text,
      String sampler,
      String spacing,
      int guidanceChannels) {

    /** Whether it predicts a variance beside the noise. */
    public boolean learnsVariance() {
      return outputChannels == 2 * channels;
    }

    /** A class-conditional model's. */
    public Interface(
        int channels,
        int outputChannels,
        int height,
        int width,
        int classes,
        String spacing,
        int guidanceChannels) {
      this(
          channels,
          outputChannels,
          height,
          width,
          Choices.NONE.pixelsPerElement(channels),
          classes,
          Optional.empty(),
          "ddim",
          spacing,
          guidanceChannels);
    }

    /** Inputs by name with their shape after the batch. */
    public Map<String, long[]> inputs() {
      Map<String, long[]> inputs = new LinkedHashMap<>();
      inputs.put(SAMPLE, new long[] {channels, height, width});
      inputs.put("timestep", new long[] {1});
      text.ifPresentOrElse(
          takes -> {
            inputs.put("text_embedding", new long[] {takes.tokens(), takes.width()});
            inputs.put("text_mask", new long[] {takes.tokens()});
            if (takes.pictureSize()) {
              inputs.put("resolution", new long[] {2});
              inputs.put("aspect_ratio", new long[] {1});
            }
          },
          () -> inputs.put("class_label", new long[] {1}));
      return inputs;
    }

    /** Whether an input holds int64; all others hold fp32. */
    public static boolean isInteger(String input) {
      return Set.of("timestep", "class_label", "text_mask").contains(input);
    }
  }

  /**
   * The text that a model takes: {@code text_embedding}, the text encoder's last hidden state, and
   * {@code text_mask}, 1 for a token that counts and 0 for padding.
   *
   * @param tokens of every prompt, padding included
   * @param width of an embedded token
   * @param pictureSize whether it is told the picture's size as well: {@code resolution}, its
   *     height and width in pixels, and {@code aspect_ratio}, height / width
   */
  record Text(int tokens, int width, boolean pictureSize) {}
}
