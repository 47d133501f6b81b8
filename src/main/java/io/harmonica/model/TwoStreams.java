package io.harmonica.model;

import static io.harmonica.model.Modulation.GATE_ATTENTION;
import static io.harmonica.model.Modulation.GATE_MLP;
import static io.harmonica.model.Modulation.SCALE_MLP;
import static io.harmonica.model.Modulation.SHIFT_MLP;

import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What Stable Diffusion 3 and FLUX share: blocks of two streams, the picture's tokens and the
 * text's, each with modulation and MLP of its own (Esser et al., arXiv 2403.03206), in diffusers'
 * names.
 *
 * @param width D
 */
record TwoStreams(int width) {
  static final String ATTENTION = "attention";
  static final String MLP = "mlp";
  static final String TEXT_MLP = "text_mlp";

  /** The text's stream, beside {@link Streams#HIDDEN}; and what it begins with. */
  static final String TEXT = "text";

  static final String CONTEXT = "context";

  /** The head's modulation: (B, 2, D). */
  static final String LAST = "head.modulation";

  static final double EPS = 1e-6;

  /** A number or vector that all is conditioned on: (B, in) to (B, D). */
  <T> T embedded(Ops<T> ops, T x, String name, int in) {
    String map = "time_text_embed." + name;
    x = ops.silu(ops.linear(x, map + ".linear_1", in, width));
    return ops.linear(x, map + ".linear_2", width, width);
  }

  /** What the text's stream begins with: (B, T, D). */
  <T> T context(Ops<T> ops, Conditioning<T> inputs, Shows.Text takes) {
    T text = ops.toPrecision(inputs.get("text_embedding")); // (B, T, text width)
    return ops.linear(text, "context_embedder", takes.width(), width);
  }

  /** Rows of modulation: (B, D) to (B, rows, D). */
  <T> T rows(Ops<T> ops, T silu, String name, int rows) {
    return ops.reshape(ops.linear(silu, name, width, rows * width), 0, rows, width);
  }

  /** Where a stream stands, modulated: (B, ., D). */
  <T> T normed(Ops<T> ops, T x, T shift, T scale) {
    return Layers.modulate(ops, ops.layerNorm(x, width, EPS), shift, scale);
  }

  /** Output of the picture's MLP in a block: (B, N, D). */
  <T> T mlp(Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    T rows = conditioning.get(modulation(block));
    return mlp(ops, streams.hidden(), rows, prefix(block) + "ff");
  }

  /** Output of the text's: (B, T, D). */
  <T> T textMlp(Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    T rows = conditioning.get(textModulation(block));
    return mlp(ops, streams.get(TEXT), rows, prefix(block) + "ff_context");
  }

  private <T> T mlp(Ops<T> ops, T x, T rows, String name) {
    x = normed(ops, x, SHIFT_MLP.of(ops, rows), SCALE_MLP.of(ops, rows));
    T inner = ops.linear(x, name + ".net.0.proj", width, 4 * width); // (B, ., 4 D)
    return ops.linear(ops.gelu(inner, Gelu.TANH), name + ".net.2", 4 * width, width);
  }

  /**
   * Joins the joint attention's output to both streams.
   *
   * @param picture the picture's part of an output: (B, N, D)
   * @param text the text's: (B, T, D)
   */
  static <T> Streams<T> joinAttention(
      Ops<T> ops,
      int block,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning,
      UnaryOperator<T> picture,
      UnaryOperator<T> text) {
    T rows = conditioning.get(modulation(block));
    Streams<T> joined = hidden(ops, streams, parts(terms, picture), GATE_ATTENTION.of(ops, rows));
    T gate = GATE_ATTENTION.of(ops, conditioning.get(textModulation(block)));
    return text(ops, joined, parts(terms, text), gate);
  }

  private static <T> List<Term<T>> parts(List<Term<T>> terms, UnaryOperator<T> part) {
    return terms.stream().map(t -> new Term<>(t.weight(), part.apply(t.output()))).toList();
  }

  static <T> Streams<T> joinMlp(
      Ops<T> ops,
      int block,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    return hidden(ops, streams, terms, GATE_MLP.of(ops, conditioning.get(modulation(block))));
  }

  static <T> Streams<T> joinTextMlp(
      Ops<T> ops,
      int block,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    return text(ops, streams, terms, GATE_MLP.of(ops, conditioning.get(textModulation(block))));
  }

  /** Outputs that join the picture's stream alone. */
  static <T> Streams<T> hidden(Ops<T> ops, Streams<T> streams, List<Term<T>> terms, T gate) {
    return streams.withHidden(Layers.joined(ops, streams.hidden(), terms, Optional.of(gate)));
  }

  private static <T> Streams<T> text(Ops<T> ops, Streams<T> streams, List<Term<T>> terms, T gate) {
    return streams.with(TEXT, Layers.joined(ops, streams.get(TEXT), terms, Optional.of(gate)));
  }

  /** A block's parameters. */
  static String prefix(int block) {
    return "transformer_blocks." + block + ".";
  }

  /** What modulates the picture's stream in a block. */
  static String modulation(int block) {
    return Branch.blockName(block) + ".modulation";
  }

  /** What modulates the text's. */
  static String textModulation(int block) {
    return Branch.blockName(block) + ".text_modulation";
  }
}
