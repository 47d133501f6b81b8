package io.harmonica.triton;

import com.google.protobuf.ByteString;
import io.harmonica.repository.proto.ModelConfig;
import java.util.List;
import java.util.Map;

/**
 * A Triton server's repository API: which models it has, and loading and unloading them. Nothing
 * here is repeated when it fails.
 */
public interface ModelControl {

  /**
   * A model of the repository.
   *
   * @param version empty where none is loaded
   * @param state {@code READY}, {@code UNAVAILABLE}, {@code LOADING}, or empty for one that nobody
   *     asked for
   * @param reason of its state, where there is one
   */
  record Entry(String name, String version, String state, String reason) {
    public boolean isReady() {
      return state.equals("READY");
    }
  }

  List<Entry> index();

  /** Loads a model as it lies in the repository. */
  void load(String model);

  /** Loads a model that needs no files, an ensemble, until it is unloaded or the server ends. */
  void load(ModelConfig config);

  /** Loads an engine by its file, until it is unloaded or the server ends. */
  void load(ModelConfig config, byte[] onnx);

  /** Unloads a model; requests that it is at end first. */
  void unload(String model);

  /** Where an engine's file is, in a repository or a request. */
  String ENGINE_FILE = "file:1/model.onnx";

  /** The file that makes Triton take a model that its repository lacks: content does not matter. */
  Map<String, ByteString> NO_FILES = Map.of("file:1/placeholder", ByteString.EMPTY);
}
