package io.harmonica.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.harmonica.HarmonicaException;
import java.nio.file.Path;

/** ONNX Runtime's environment: one for the process, with one thread pool for all sessions. */
final class OnnxEnvironment {
  static final OrtEnvironment SHARED = create();

  private OnnxEnvironment() {}

  /** Loads an ONNX file for the shared pool; the caller closes the session. */
  static OrtSession load(Path file) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.disablePerSessionThreads();
      return SHARED.createSession(file.toString(), options);
    } catch (OrtException e) {
      throw new HarmonicaException(
          "ONNX Runtime cannot load %s: %s".formatted(file, e.getMessage()), e);
    }
  }

  private static OrtEnvironment create() {
    // A private pool a session spins after its step and starves the next session's: with 48
    // engines that ate the whole speedup of routing (0.97x where 1.43x was due).
    try (OrtEnvironment.ThreadingOptions threads = new OrtEnvironment.ThreadingOptions()) {
      threads.setGlobalIntraOpNumThreads(java.lang.Runtime.getRuntime().availableProcessors());
      threads.setGlobalInterOpNumThreads(1);
      return OrtEnvironment.getEnvironment(
          OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "harmonica", threads);
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }
}
