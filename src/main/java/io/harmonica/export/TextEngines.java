package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.model.TextEncoder;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.repository.Names;
import java.util.ArrayList;
import java.util.List;

/**
 * The text encoder as engines of some blocks each: whole it takes 19 GB in fp32, and neither every
 * file system nor every backend takes as much in one file.
 *
 * @param tokens of every prompt, padding included
 * @param tokenizer packed, for the configuration
 * @param most bytes of parameters that an engine may have, unless a block alone has more
 */
record TextEngines(
    TextCheckpoint text, int tokens, Precision precision, String tokenizer, long most) {
  static final long MOST_BYTES = 2_000_000_000;

  /**
   * A stretch of the pass.
   *
   * @param first block of it
   * @param end block after its last one
   * @param embeds whether it begins with the token table
   * @param finishes whether it ends with the last norm
   */
  record Part(int first, int end, boolean embeds, boolean finishes) {}

  List<Part> parts() {
    TextEncoder encoder = text.encoder();
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

  /** Writes a part's graph. */
  Graph graph(Part part, WeightFile weights) {
    TextEncoder encoder = text.encoder();
    Graph graph = new Graph("text_encoder");
    OnnxOps ops = new OnnxOps(graph, text.weights(), weights, precision);
    Value hidden =
        part.embeds()
            ? encoder.embed(ops, graph.input(Names.INPUT_IDS, Element.INT64, tokens), tokens)
            : graph.input(TextEncoder.HIDDEN, Element.FP32, tokens, encoder.width());
    if (part.end() > part.first()) {
      Value mask = graph.input(Names.TEXT_MASK, Element.INT64, tokens);
      Value bias = encoder.bias(ops, mask, tokens); // (B, heads, N, N)
      for (int block = part.first(); block < part.end(); block++) {
        hidden = encoder.block(ops, block, hidden, bias);
      }
    }
    if (part.finishes()) {
      hidden = encoder.finish(ops, hidden);
    }
    String output = part.finishes() ? Names.TEXT_EMBEDDING : Names.next(TextEncoder.HIDDEN);
    graph.output(output, hidden, tokens, encoder.width());
    return graph;
  }
}
