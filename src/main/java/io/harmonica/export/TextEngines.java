package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.model.TextEncoder;
import io.harmonica.model.TextUse;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.TextLayout;
import io.harmonica.repository.Names;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A text encoder as engines of some blocks each: a T5 whole takes 19 GB in fp32, and neither every
 * file system nor every backend takes as much in one file.
 *
 * @param place what is used of it
 * @param masks whether it is told which tokens count
 * @param tokenizer packed, for the configuration
 * @param most bytes of parameters that an engine may have, unless a block alone has more
 */
record TextEngines(
    TextLayout place, boolean masks, Precision precision, String tokenizer, long most) {
  static final long MOST_BYTES = 2_000_000_000;

  /**
   * A part of the pass.
   *
   * @param first block of it
   * @param end block after its last one
   * @param embeds whether it begins with the token table
   * @param finishes whether it ends with the last norm
   */
  record Part(int first, int end, boolean embeds, boolean finishes) {}

  private TextEncoder encoder() {
    return place.encoder().encoder();
  }

  List<Part> parts() {
    TextEncoder encoder = encoder();
    long block = precision.element().bytes(encoder.blockElements());
    long bytes = precision.element().bytes(encoder.tableElements());
    List<Part> parts = new ArrayList<>();
    int first = 0;
    for (int i = 0; i < encoder.depth(); i++) {
      if (bytes + block > most && bytes > 0) {
        parts.add(new Part(first, i, parts.isEmpty(), false));
        first = i;
        bytes = 0;
      }
      bytes += block;
    }
    parts.add(new Part(first, encoder.depth(), parts.isEmpty(), true));
    return parts;
  }

  /** What the encoder gives, as ports of its ensemble. */
  List<String> outputs() {
    List<String> outputs = new ArrayList<>();
    if (place.width() > 0) {
      outputs.add(Names.TEXT_EMBEDDING);
    }
    if (place.pooled() > 0) {
      outputs.add(Names.POOLED_TEXT);
    }
    return outputs;
  }

  /** Writes a part's graph. */
  Graph graph(Part part, WeightFile weights) {
    TextEncoder encoder = encoder();
    int tokens = place.tokens();
    Graph graph = new Graph("text_encoder");
    OnnxOps ops = new OnnxOps(graph, place.encoder().weights(), weights, precision);
    boolean readsEnd = part.finishes() && place.pooled() > 0;
    Value ids =
        part.embeds() || readsEnd ? graph.input(Names.INPUT_IDS, Element.INT64, tokens) : null;
    Value hidden =
        part.embeds()
            ? encoder.embed(ops, ids, tokens)
            : graph.input(TextEncoder.HIDDEN, Element.FP32, tokens, encoder.width());
    Value before = hidden;
    if (part.end() > part.first()) {
      Optional<Value> mask =
          masks
              ? Optional.of(graph.input(Names.TEXT_MASK, Element.INT64, tokens))
              : Optional.empty();
      Value bias = encoder.bias(ops, mask, tokens); // (B, heads, N, N)
      for (int block = part.first(); block < part.end(); block++) {
        before = hidden;
        hidden = encoder.block(ops, block, hidden, bias);
      }
    }
    if (!part.finishes()) {
      graph.output(Names.next(TextEncoder.HIDDEN), hidden, tokens, encoder.width());
      return graph;
    }
    TextUse.Made<Value> made = encoder.finish(ops, before, hidden, ids, place.use());
    made.states()
        .ifPresent(states -> graph.output(Names.TEXT_EMBEDDING, states, tokens, encoder.width()));
    made.pooled().ifPresent(text -> graph.output(Names.POOLED_TEXT, text, place.pooled()));
    return graph;
  }
}
