package io.harmonica.model;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
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

  /** The model that this one was narrowed from; itself as a rule. */
  default Denoiser whole() {
    return this;
  }

  /**
   * Whether its origin guides it by passes without some blocks (skip-layer guidance), whose streams
   * then pass as they are.
   */
  default boolean takesSkipLayers() {
    return false;
  }

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
  default <T> Map<String, T> condition(Ops<T> ops, Conditioning<T> inputs) {
    Map<String, T> all = new LinkedHashMap<>();
    conditions(ops, inputs).forEach((name, made) -> all.put(name, made.get()));
    return all;
  }

  /**
   * The same, each of it made when it is asked for, once: an engine may hold the weights of some.
   *
   * @param inputs {@link Interface#conditions} by name
   */
  <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs);

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
   * @param timestep whether it takes whole timesteps (int64), or decimals (fp32)
   * @param shows what it is told of the picture
   */
  record Interface(Samples samples, Element timestep, Shows shows, Origin origin) {

    /** A class-conditional model's of DDPM's diffusion, with a null class. */
    public Interface(
        int channels,
        int outputChannels,
        int height,
        int width,
        int classes,
        String spacing,
        int guidanceChannels) {
      this(
          new Samples(channels, outputChannels, height, width, usualPixelsPerElement(channels)),
          Element.INT64,
          new Shows.Classes(classes, true),
          new Origin(Diffusion.DDPM, "ddim", Spacing.of(spacing), guidanceChannels));
    }

    /** What is usual: 1 for grey and RGB samples, 8 for latents. */
    public static int usualPixelsPerElement(int channels) {
      return channels == 1 || channels == 3 ? 1 : 8;
    }

    public Interface withShows(Shows other) {
      return new Interface(samples, timestep, other, origin);
    }

    /** C of a sample. */
    public int channels() {
      return samples.channels();
    }

    public int outputChannels() {
      return samples.outputChannels();
    }

    public int height() {
      return samples.height();
    }

    public int width() {
      return samples.width();
    }

    public int pixelsPerElement() {
      return samples.pixelsPerElement();
    }

    /** Of the pictures that it makes. */
    public Resolution resolution() {
      return new Resolution(height() * pixelsPerElement(), width() * pixelsPerElement());
    }

    /** How its origin samples it: what holds where no scheduler says otherwise. */
    public Sampling sampling() {
      return Sampling.of(origin.noising(), origin.sampler(), origin.spacing(), learnsVariance());
    }

    /** Whether it predicts a variance beside the noise. */
    public boolean learnsVariance() {
      return samples.learnsVariance();
    }

    /** Number of labels; 0 for a model that takes none. */
    public int classes() {
      return shows instanceof Shows.Classes classes ? classes.count() : 0;
    }

    /** What text it takes. */
    public Optional<Shows.Text> text() {
      return shows instanceof Shows.Text text ? Optional.of(text) : Optional.empty();
    }

    /** What guidance leads away from. */
    public Unconditional unconditional() {
      return shows.unconditional();
    }

    /** The scale of guidance where nobody says; 1 is none. */
    public double defaultGuidance() {
      return unconditional().guides()
          ? origin.guidance().orElse(unconditional().defaultGuidance())
          : 1;
    }

    /** The noisy sample. */
    public Port sample() {
      return new Port(SAMPLE, Element.FP32, channels(), height(), width());
    }

    /** What says when and what. */
    public List<Port> conditions() {
      List<Port> conditions = new ArrayList<>();
      conditions.add(new Port("timestep", timestep, 1));
      conditions.addAll(shows.ports());
      return conditions;
    }
  }
}
