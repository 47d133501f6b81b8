package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.export.Exporter.Entry;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.WeightFile;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.proto.ModelConfig;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * Where the models of an export go: into a folder, or nowhere, where only their sizes are asked
 * for. Both count alike.
 *
 * @param folder of the models; null for nowhere
 */
record Sink(Path folder) {
  static final Sink NOWHERE = new Sink(null);

  /** The file for a model's weights; null for nowhere. */
  Path data(String model) throws IOException {
    return folder == null ? null : versionFolder(model).resolve(WeightFile.NAME);
  }

  /** A file for weights as {@link #data} names it; the caller closes it. */
  static WeightFile weights(Path data) throws IOException {
    return data == null ? WeightFile.measure() : WeightFile.create(data);
  }

  /** An engine that shares its weights with no other. */
  Entry alone(String name, Function<WeightFile, Graph> engine, Function<Graph, ModelConfig> config)
      throws IOException {
    Path data = data(name);
    try (WeightFile weights = weights(data)) {
      Graph graph = engine.apply(weights);
      ModelProto onnx = graph.model();
      onnx(name, onnx);
      long size = onnx.getSerializedSize() + weights.sizeBytes();
      ModelConfig written = Accelerator.cachedByContent(config.apply(graph), onnx, data);
      return new Entry(name, size + config(written));
    }
  }

  /** An engine without a file for weights. */
  Entry small(ModelConfig config, Graph graph) throws IOException {
    ModelProto onnx = graph.model();
    onnx(config.getName(), onnx);
    return new Entry(config.getName(), onnx.getSerializedSize() + config(config));
  }

  /** A model that is a configuration alone. */
  Entry ensemble(ModelConfig config) throws IOException {
    return new Entry(config.getName(), config(config));
  }

  /** Writes a model's graph. */
  void onnx(String model, ModelProto onnx) throws IOException {
    if (folder == null) {
      return;
    }
    Path file = versionFolder(model).resolve("model.onnx");
    try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
      onnx.writeTo(out);
    }
  }

  /** Writes a configuration; its size in bytes. */
  long config(ModelConfig config) throws IOException {
    byte[] text = ConfigFile.print(config).getBytes(StandardCharsets.UTF_8);
    if (folder != null) {
      Path version = versionFolder(config.getName());
      Files.write(version.resolveSibling(ConfigFile.NAME), text);
    }
    return text.length;
  }

  /** Has a model share another's weights, on disks that can. */
  void link(String model, Path data) throws IOException {
    if (folder == null) {
      return;
    }
    try {
      Files.createLink(data(model), data);
    } catch (UnsupportedOperationException | FileSystemException e) {
      throw new IOException("its disk has no hard links (" + e + "): leave out `hardLinks`", e);
    }
  }

  /** Triton wants a version of every model, of an ensemble too. */
  private Path versionFolder(String model) throws IOException {
    Path version = folder.resolve(model).resolve("1");
    if (!Files.exists(version)) {
      Files.createDirectory(version.getParent()); // never the staging folder again, once it is gone
      Files.createDirectory(version);
    }
    return version;
  }

  /** Whether a graph reads from the file for weights. */
  static boolean usesData(ModelProto onnx) {
    return onnx.getGraph().getInitializerList().stream()
        .anyMatch(initializer -> initializer.getExternalDataCount() > 0);
  }
}
