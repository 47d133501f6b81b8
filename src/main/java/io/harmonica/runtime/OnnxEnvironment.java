package io.harmonica.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtLoggingLevel;
import ai.onnxruntime.OrtSession;
import io.harmonica.HarmonicaException;
import io.harmonica.NativeFolder;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;

/** ONNX Runtime's environment: one for the process, with one thread pool for all sessions. */
final class OnnxEnvironment {
  /**
   * Weights of this size on are used as the file has them, a tenth slower than from ONNX Runtime's
   * own copy: mapped pages the system can take back, a copy of a text encoder's 19 GB it cannot.
   */
  private static final long LARGE_BYTES = 1L << 30;

  private static final String NAME = "ONNX Runtime";

  private static volatile OrtEnvironment shared;

  private OnnxEnvironment() {}

  /**
   * The environment; the first call loads ONNX Runtime.
   *
   * @throws HarmonicaException if it does not load on this machine
   */
  static OrtEnvironment get() {
    OrtEnvironment there = shared;
    return there != null ? there : create();
  }

  /**
   * Loads an ONNX file for the shared pool; the caller closes the session.
   *
   * @param keepsMemory whether memory that a run has freed stays for the next one: faster, and each
   *     session has its own
   */
  static OrtSession load(Path file, boolean keepsMemory) {
    try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.disablePerSessionThreads();
      options.setCPUArenaAllocator(keepsMemory);
      if (folderBytes(file) >= LARGE_BYTES) {
        options.addConfigEntry("session.disable_prepacking", "1");
      }
      return get().createSession(file.toString(), options);
    } catch (OrtException e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "ONNX Runtime cannot load %s: %s: it is damaged, or no ONNX model that this version knows; export it again, or name another"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** An ONNX file with what lies beside it: its weights. */
  private static long folderBytes(Path file) {
    long bytes = 0;
    try (DirectoryStream<Path> files =
        Files.newDirectoryStream(file.toAbsolutePath().getParent())) {
      for (Path one : files) {
        bytes += Files.size(one);
      }
      return bytes;
    } catch (IOException e) {
      throw new HarmonicaException("cannot list %s: %s".formatted(file.getParent(), e), e);
    }
  }

  private static synchronized OrtEnvironment create() {
    if (shared != null) {
      return shared;
    }
    load();
    // A private pool a session spins after its step and starves the next session's: with 48
    // engines that ate the whole speedup of routing (0.97x where 1.43x was due).
    try (OrtEnvironment.ThreadingOptions threads = new OrtEnvironment.ThreadingOptions()) {
      threads.setGlobalIntraOpNumThreads(java.lang.Runtime.getRuntime().availableProcessors());
      threads.setGlobalInterOpNumThreads(1);
      shared =
          OrtEnvironment.getEnvironment(
              OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "harmonica", threads);
      return shared;
    } catch (OrtException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Loads the native code, which ONNX Runtime unpacks into Java's temporary folder. */
  private static void load() {
    Path folder = NativeFolder.temporary();
    if (System.getProperty("onnxruntime.native.path") == null) { // else it lies elsewhere already
      NativeFolder.choose(NAME, folder);
    }
    try {
      OrtEnvironment.getAvailableProviders();
    } catch (RuntimeException | LinkageError e) {
      throw NativeFolder.fault(NAME, folder, "free space there, or report it with --verbose", e);
    }
  }
}
