package io.harmonica.export;

import io.harmonica.export.Exporter.Entry;
import io.harmonica.model.Denoiser;
import io.harmonica.onnx.Graph;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.SamplerForm;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.whole.WholeModels;
import io.harmonica.whole.WholePicture;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What an export has beside the denoiser: decoder, text encoders, the sampler's steps, pictures in
 * one request.
 */
final class Beside {
  private final Denoiser.Interface io;
  private final ExportOptions options;
  private final Configs configs;
  private final Map<String, ModelConfig> written = new HashMap<>();

  Optional<DecoderEngine> decoder = Optional.empty();
  List<TextEngines> texts = List.of();
  Wholes whole = new Wholes(List.of(), List.of());

  Beside(Denoiser.Interface io, ExportOptions options, Configs configs) {
    this.io = io;
    this.options = options;
    this.configs = configs;
  }

  /** Writes decoder and text encoders. */
  void write(Sink sink, List<Entry> entries) throws IOException {
    if (decoder.isPresent()) {
      entries.add(decoder(decoder.get(), sink));
    }
    for (TextEngines text : texts) {
      text(text, sink, entries);
    }
  }

  /** Writes what makes the sampler's steps between those of a request. */
  Entry sampler(SamplerForm steps, Sink sink) throws IOException {
    Graph graph = new SamplerEngine(io, steps).graph();
    ModelConfig config = configs.sampler(graph, steps);
    return sink.small(Accelerator.cachedByContent(config, graph.model(), null), graph);
  }

  /** Makes pictures of one request, of engines that are written. */
  void pictures(Manifest manifest, Sink sink, List<Entry> entries) throws IOException {
    Set<String> shared = new HashSet<>(); // engines of several pictures
    for (WholePicture made : whole.pictures(manifest)) {
      WholeModels models =
          new WholeModels(
              made, configs.ensemble(made.name(), made.router(), made.stretch()), written::get);
      for (WholeModels.Small engine : models.engines()) {
        if (shared.add(engine.config().getName())) {
          entries.add(sink.small(engine.config(), engine.graph()));
        }
      }
      for (ModelConfig ensemble : models.ensembles()) {
        entries.add(sink.ensemble(ensemble));
      }
    }
  }

  private Entry decoder(DecoderEngine engine, Sink sink) throws IOException {
    return sink.alone(
        configs.decoderName(),
        weights -> engine.graph(weights, options.precision()),
        graph -> noted(configs.decoder(graph, decodedAtOnce(), engine.largest())));
  }

  /** Pictures of one request; else a picture at a time. */
  private int decodedAtOnce() {
    int rows = io.unconditional().guides() ? 2 : 1;
    return whole.isEmpty() ? 1 : Math.max(1, options.maxBatch() / rows);
  }

  private ModelConfig noted(ModelConfig config) {
    written.put(config.getName(), config);
    return config;
  }

  private void text(TextEngines engines, Sink sink, List<Entry> entries) throws IOException {
    List<ModelConfig> parts = new ArrayList<>();
    for (TextEngines.Part part : engines.parts()) {
      int number = parts.size();
      entries.add(
          sink.alone(
              configs.textPartName(engines, number),
              weights -> engines.graph(part, weights),
              graph -> {
                parts.add(configs.textPart(engines, number, graph));
                return parts.get(number);
              }));
    }
    ModelConfig ensemble = noted(configs.textEncoder(engines, parts));
    entries.add(sink.ensemble(ensemble));
  }
}
