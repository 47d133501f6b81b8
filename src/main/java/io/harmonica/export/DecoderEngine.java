package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.model.Decoder;
import io.harmonica.model.Denoiser;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.Value;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Autoencoder;
import io.harmonica.repository.Names;

/**
 * The engine that makes a picture out of latents, of any size up to {@link #tile} squared.
 *
 * @param io of the model whose latents it decodes
 */
record DecoderEngine(Autoencoder autoencoder, Denoiser.Interface io) {
  /** From this side on, 1024 pixels as usual, the attention alone would fill 1 GiB. */
  private static final int TILED = 128;

  private static final int TILE = 64;

  /** Side, in elements, of the largest square of latents that are decoded at once. */
  int tile() {
    int side = Math.max(io.height(), io.width());
    return side < TILED ? side : TILE;
  }

  /** The largest latents, after the batch. */
  long[] largest() {
    return new long[] {io.channels(), Math.min(io.height(), tile()), Math.min(io.width(), tile())};
  }

  /** Writes its graph. */
  Graph graph(WeightFile weights, Precision wished) {
    Decoder own = autoencoder.decoder();
    Decoder decoder = io.origin().isFlow() ? own : own.withoutShift();
    boolean upcast = decoder.upcast() || wished.element() == Element.BF16; // convolutions have none
    Precision precision = upcast ? Precision.FP32 : wished;
    Graph graph = new Graph("decoder");
    OnnxOps ops = new OnnxOps(graph, autoencoder.weights(), weights, precision);
    Value latents = graph.input(Names.LATENTS, Element.FP32, io.channels(), Port.ANY, Port.ANY);
    Value pixels = decoder.decode(ops, latents);
    graph.output(Names.PIXELS, pixels, decoder.outputChannels(), Port.ANY, Port.ANY);
    return graph;
  }
}
