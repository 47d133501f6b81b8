package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.model.Denoiser;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.LinearStep;
import io.harmonica.onnx.Value;
import io.harmonica.repository.Names;

/**
 * The engine between two steps of a stretch: guidance, and the sampler's step. It has no weights.
 */
record SamplerEngine(Denoiser.Interface io) {
  private static final int NUMBERS = 7; // of a sampler.Linear

  Graph graph() {
    Graph graph = new Graph("sampler");
    int channels = io.channels();
    LinearStep.Made made =
        new LinearStep(graph, channels)
            .next(
                picture(graph, Names.SAMPLE, channels),
                picture(graph, Names.NOISE_PREDICTION, io.outputChannels()),
                picture(graph, Names.STATE, channels),
                graph.input(Names.UPDATE, Element.FP32, NUMBERS),
                graph.input(Names.GUIDANCE, Element.FP32, channels),
                graph.input(Names.CONDITIONAL, Element.INT64, 1),
                graph.input(Names.UNCONDITIONAL, Element.INT64, 1));
    graph.output(Names.NEXT_SAMPLE, made.sample(), channels, io.height(), io.width());
    graph.output(Names.NEXT_STATE, made.picture(), channels, io.height(), io.width());
    return graph;
  }

  private Value picture(Graph graph, String name, int channels) {
    return graph.input(name, Element.FP32, channels, io.height(), io.width());
  }
}
