package io.harmonica.runtime;

import ai.onnxruntime.OrtSession;
import java.nio.file.Path;

/** What makes ONNX Runtime's sessions compute where they shall. */
interface Provider {
  /** ONNX Runtime's own kernels. */
  Provider CPU =
      new Provider() {
        @Override
        public String description() {
          return "";
        }

        @Override
        public OrtSession load(String model, Path file, boolean keepsMemory) {
          return OnnxEnvironment.load(file, keepsMemory);
        }
      };

  /** What computes with ONNX Runtime, with its version; empty if nothing else does. */
  String description();

  /**
   * Loads an engine; the caller closes the session.
   *
   * @param model its name, for messages
   * @param keepsMemory as for {@link OnnxEnvironment#load}
   */
  OrtSession load(String model, Path file, boolean keepsMemory);
}
