package io.harmonica.export;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;
import io.harmonica.model.Denoiser;
import io.harmonica.onnx.DdimStep;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Value;
import io.harmonica.repository.Names;

/**
 * The engine between two steps of a stretch: guidance, and the sampler's step. It has no weights.
 */
record SamplerEngine(Denoiser.Interface io) {
  Ports ports() {
    Graph graph = new Graph(Names.ENGINE_SAMPLER);
    Ports ports = new Ports(graph);
    int channels = io.channels();
    Value next =
        new DdimStep(graph, channels)
            .next(
                ports.input(Names.SAMPLE, DataType.FLOAT, channels, io.height(), io.width()),
                ports.input(
                    Names.NOISE_PREDICTION,
                    DataType.FLOAT,
                    io.outputChannels(),
                    io.height(),
                    io.width()),
                ports.input(Names.UPDATE, DataType.FLOAT, 4),
                ports.input(Names.GUIDANCE, DataType.FLOAT, channels),
                ports.input(Names.CONDITIONAL, DataType.INT64, 1),
                ports.input(Names.UNCONDITIONAL, DataType.INT64, 1));
    ports.output(Names.NEXT_SAMPLE, next, channels, io.height(), io.width());
    return ports;
  }
}
