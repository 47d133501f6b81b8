package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.model.Denoiser;
import io.harmonica.onnx.DdimStep;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Value;
import io.harmonica.repository.Names;

/**
 * The engine between two steps of a stretch: guidance, and the sampler's step. It has no weights.
 */
record SamplerEngine(Denoiser.Interface io) {
  Graph graph() {
    Graph graph = new Graph(Names.ENGINE_SAMPLER);
    int channels = io.channels();
    Value next =
        new DdimStep(graph, channels)
            .next(
                graph.input(Names.SAMPLE, Element.FP32, channels, io.height(), io.width()),
                graph.input(
                    Names.NOISE_PREDICTION,
                    Element.FP32,
                    io.outputChannels(),
                    io.height(),
                    io.width()),
                graph.input(Names.UPDATE, Element.FP32, 4),
                graph.input(Names.GUIDANCE, Element.FP32, channels),
                graph.input(Names.CONDITIONAL, Element.INT64, 1),
                graph.input(Names.UNCONDITIONAL, Element.INT64, 1));
    graph.output(Names.NEXT_SAMPLE, next, channels, io.height(), io.width());
    return graph;
  }
}
