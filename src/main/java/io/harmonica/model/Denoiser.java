package io.harmonica.model;

import io.harmonica.Element;
import io.harmonica.Port;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * A diffusion transformer, written once and interpreted by any {@link Ops}.
 *
 * <p>A pass is {@code condition}, {@code begin}, then block by block {@code enter} and for each of
 * its branches {@code branch} and {@code join}, and at last {@code head}. An engine runs a part of
 * it: what crosses to the next are the {@link Streams}. Legend of shape comments: B batch, N
 * tokens, D hidden width, C channels, P patch.
 */
public interface Denoiser {

  /** Name of the noisy sample among the inputs. */
  String SAMPLE = "sample";

  /** What identifies the structure, for routers: {@code DiT-XL/2}, {@code DiT-10x192/4}. */
  String architecture();

  /** What a client must know. */
  Interface io();

  /** The branches in execution order. */
  List<Branch> branches();

  /** Elements of each branch's output, for one sample. */
  default List<Long> branchElements() {
    return Shapes.outputs(this).stream()
        .map(shape -> Arrays.stream(shape).reduce(1, Math::multiplyExact))
        .toList();
  }

  /** Their names, as routers list them. */
  default List<String> branchNames() {
    return branches().stream().map(Branch::name).toList();
  }

  /**
   * Everything that depends on timestep and condition only, by name. No sample is needed: whoever
   * knows the timesteps can have it for several steps at once.
   *
   * @param inputs {@link Interface#conditions} by name
   */
  <T> Map<String, T> condition(Ops<T> ops, Map<String, T> inputs);

  /** The streams before the first block: the tokens of a sample (B, C, H, W). */
  <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning);

  /**
   * What a block does before its branches, and whatever they do: nothing in most models; in one
   * with long skips it joins the skip.
   */
  default <T> Streams<T> enter(
      Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    return streams;
  }

  /** A branch's output before its gate, (B, N, D) as a rule. Sizes may differ by branch. */
  <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning);

  /**
   * Adds a branch's output, times its gate, to the streams.
   *
   * @param terms the output: computed, or a sum of cached ones
   */
  <T> Streams<T> join(
      Ops<T> ops,
      Branch branch,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning);

  /** The model's prediction: (B, outputChannels, H, W), fp32. */
  <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning);

  /**
   * A whole pass, or the blocks of a part of it.
   *
   * @param from index of the first branch, at whose block it begins
   * @param end index after the last
   * @param terms what joins for each branch, computed or not
   */
  default <T> Streams<T> blocks(
      Ops<T> ops,
      int from,
      int end,
      Streams<T> streams,
      Conditioning<T> conditioning,
      Outputs<T> terms) {
    List<Branch> branches = branches();
    for (int i = from; i < end; i++) {
      Branch branch = branches.get(i);
      if (i == 0 || branches.get(i - 1).block() != branch.block()) {
        streams = enter(ops, branch.block(), streams, conditioning);
      }
      Streams<T> before = streams;
      List<Term<T>> joined = terms.of(i, () -> branch(ops, branch, before, conditioning));
      streams = join(ops, branch, streams, joined, conditioning);
    }
    return streams;
  }

  /** Chooses what joins the streams for a branch. */
  interface Outputs<T> {
    /**
     * What joins.
     *
     * @param branch its index
     * @param computed computes its output
     */
    List<Term<T>> of(int branch, Supplier<T> computed);
  }

  /**
   * The model seen from outside.
   *
   * @param channels C of a sample; a prediction has more where the model learned a variance
   * @param pixelsPerElement side of the square of pixels that an element of a sample stands for: 1
   *     for a model that works on pixels, 8 in the latent space of the usual autoencoders
   * @param classes number of labels; 0 for a model that takes text
   * @param nullClass whether {@code classes} itself is the label of guidance's null class
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
      boolean nullClass,
      Optional<Text> text,
      String sampler,
      String spacing,
      int guidanceChannels) {

    /** Whether it predicts a variance beside the noise. */
    public boolean learnsVariance() {
      return outputChannels == 2 * channels;
    }

    /** What guidance leads away from. */
    public Unconditional unconditional() {
      return Unconditional.of(text.isPresent(), nullClass);
    }

    /** A class-conditional model's, with a null class. */
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
          usualPixelsPerElement(channels),
          classes,
          true,
          Optional.empty(),
          "ddim",
          spacing,
          guidanceChannels);
    }

    /** What is usual: 1 for grey and RGB samples, 8 for latents. */
    public static int usualPixelsPerElement(int channels) {
      return channels == 1 || channels == 3 ? 1 : 8;
    }

    public Interface withoutNullClass() {
      return new Interface(
          channels,
          outputChannels,
          height,
          width,
          pixelsPerElement,
          classes,
          false,
          text,
          sampler,
          spacing,
          guidanceChannels);
    }

    /** The noisy sample. */
    public Port sample() {
      return new Port(SAMPLE, Element.FP32, channels, height, width);
    }

    /** What says when and what. */
    public List<Port> conditions() {
      List<Port> conditions = new ArrayList<>();
      conditions.add(new Port("timestep", Element.INT64, 1));
      text.ifPresentOrElse(
          takes -> {
            conditions.add(new Port("text_embedding", Element.FP32, takes.tokens(), takes.width()));
            conditions.add(new Port("text_mask", Element.INT64, takes.tokens()));
            if (takes.pictureSize()) {
              conditions.add(new Port("resolution", Element.FP32, 2));
              conditions.add(new Port("aspect_ratio", Element.FP32, 1));
            }
          },
          () -> conditions.add(new Port("class_label", Element.INT64, 1)));
      return conditions;
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
