package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.model.Denoiser;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.LinearStep;
import io.harmonica.onnx.Value;
import io.harmonica.repository.Names;
import io.harmonica.repository.SamplerForm;
import java.util.Optional;

/**
 * The engine between two steps of a stretch: guidance, and the sampler's step. It has no weights.
 */
record SamplerEngine(Denoiser.Interface io, SamplerForm steps) {

  Graph graph() {
    Graph graph = new Graph("sampler");
    int channels = io.channels();
    Optional<Value> start =
        steps.states().contains(Names.START)
            ? Optional.of(picture(graph, Names.START, channels))
            : Optional.empty();
    LinearStep.Made made =
        new LinearStep(graph, channels)
            .next(
                picture(graph, Names.SAMPLE, channels),
                picture(graph, Names.NOISE_PREDICTION, io.outputChannels()),
                picture(graph, Names.STATE, channels),
                start,
                graph.input(Names.UPDATE, Element.FP32, steps.takes()),
                graph.input(Names.GUIDANCE, Element.FP32, channels),
                graph.input(Names.CONDITIONAL, Element.INT64, 1),
                graph.input(Names.UNCONDITIONAL, Element.INT64, 1));
    output(graph, Names.NEXT_SAMPLE, made.sample());
    output(graph, Names.next(Names.STATE), made.state());
    made.start().ifPresent(value -> output(graph, Names.next(Names.START), value));
    return graph;
  }

  private void output(Graph graph, String name, Value value) {
    graph.output(name, value, io.channels(), io.height(), io.width());
  }

  private Value picture(Graph graph, String name, int channels) {
    return graph.input(name, Element.FP32, channels, io.height(), io.width());
  }
}
