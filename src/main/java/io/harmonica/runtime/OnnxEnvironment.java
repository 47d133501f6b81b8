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
  private static int threads = java.lang.Runtime.getRuntime().availableProcessors();

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
   * Says how many threads the pool has, the caller's among them. That is settled once the first
   * model is open.
   *
   * @throws HarmonicaException if it has another number already
   */
  static synchronized void useThreads(int count) {
    if (shared != null && count != threads) {
      throw new HarmonicaException(
          "this process computes on %d threads already, not %d: all its models share one pool; state the number before the first is opened"
              .formatted(threads, count));
    }
    threads = count;
  }

  /** Threads of the pool. */
  static synchronized int threads() {
    return threads;
  }

  /**
   * Loads an ONNX file for the shared pool; the caller closes the session.
   *
   * @param keepsMemory whether memory that a run has freed stays for the next one: faster, and each
   *     session has its own
   */
  static OrtSession load(Path file, boolean keepsMemory) {
    try (OrtSession.SessionOptions options = options(file, keepsMemory)) {
      return get().createSession(file.toString(), options);
    } catch (OrtException e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "ONNX Runtime cannot load %s: %s: it is damaged, or no ONNX model that this version knows; export it again, or name another"
              .formatted(file, e.getMessage()),
          e);
    }
  }

  /** What all sessions have in common; the caller closes it. */
  static OrtSession.SessionOptions options(Path file, boolean keepsMemory) throws OrtException {
    OrtSession.SessionOptions options = new OrtSession.SessionOptions();
    try {
      options.disablePerSessionThreads();
      options.setCPUArenaAllocator(keepsMemory);
      if (isLarge(file)) {
        options.addConfigEntry("session.disable_prepacking", "1");
      }
      if (!Processor.multipliesBytes()) { // elsewhere it is three times slower
        options.addConfigEntry("session.x64quantprecision", "1");
      }
      return options;
    } catch (OrtException | RuntimeException e) {
      options.close();
      throw e;
    }
  }

  /** What a fault says, without the places in the library's sources where it was thrown. */
  static String reason(Throwable fault) {
    return String.valueOf(fault.getMessage())
        .replaceFirst("^Error code - \\w+ - message: ", "")
        .replaceAll("(?m)^Exception from \\S+:\\d+:\\R?", "")
        .strip()
        .replaceAll("\\s+", " ");
  }

  /** Whether its weights are so many that copies of them cost more than they bring. */
  static boolean isLarge(Path file) {
    return folderBytes(file) >= LARGE_BYTES;
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
    try (OrtEnvironment.ThreadingOptions pool = new OrtEnvironment.ThreadingOptions()) {
      pool.setGlobalIntraOpNumThreads(threads);
      pool.setGlobalInterOpNumThreads(1);
      // Threads that wait for work sleep. Spinning, they took the processors from the one that has
      // it as soon as anything else ran: three times as long, for a fiftieth on a quiet machine.
      pool.setGlobalSpinControl(false);
      shared =
          OrtEnvironment.getEnvironment(OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, "harmonica", pool);
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
