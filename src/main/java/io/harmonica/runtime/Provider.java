package io.harmonica.runtime;

import ai.onnxruntime.OrtSession;
import java.nio.file.Path;
import java.util.OptionalLong;

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
        public boolean wantsBatchSize(Path file) {
          return false;
        }

        @Override
        public void requireExactInt8(String model) {} // it takes other kernels then

        @Override
        public OrtSession load(
            String model, Path file, boolean keepsMemory, OptionalLong batchSize) {
          return OnnxEnvironment.load(file, keepsMemory);
        }
      };

  /** What computes with ONNX Runtime, with its version; empty if nothing else does. */
  String description();

  /** Whether an engine runs faster where its session is for one batch size alone. */
  boolean wantsBatchSize(Path file);

  /**
   * Refuses an engine in int8 where its products would overflow on a processor without VNNI.
   *
   * @param model its name, for messages
   */
  void requireExactInt8(String model);

  /**
   * Loads an engine; the caller closes the session.
   *
   * @param model its name, for messages
   * @param keepsMemory as for {@link OnnxEnvironment#load}
   * @param batchSize that the session is for; empty: any
   */
  OrtSession load(String model, Path file, boolean keepsMemory, OptionalLong batchSize);
}
