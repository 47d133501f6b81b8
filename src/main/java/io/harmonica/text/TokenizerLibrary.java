package io.harmonica.text;

import ai.djl.huggingface.tokenizers.jni.LibUtils;
import ai.djl.util.Utils;
import io.harmonica.HarmonicaException;
import io.harmonica.NativeFolder;
import java.nio.file.Path;

/** Loads Hugging Face's tokenizers once a process, and says what to do where they do not load. */
final class TokenizerLibrary {
  private static final String NAME = "the tokenizer library";
  private static final String ENGINE = "tokenizers"; // DJL's name for its folder
  private static final String FOLDER = "ENGINE_CACHE_DIR"; // where that lies, for DJL
  private static final String SCRATCH = "jna.tmpdir"; // of what looks for GPUs; it would complain

  private static boolean loaded;

  private TokenizerLibrary() {}

  /**
   * Must come before anything else touches a class of DJL.
   *
   * @throws HarmonicaException if the library does not load on this machine
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    // DJL would look for GPUs, and on some machines tell its makers that it runs.
    System.setProperty("RUST_FLAVOR", "cpu");
    System.setProperty("OPT_OUT_TRACKING", "true");
    System.setProperty("ai.djl.offline", "true");
    Path folder = folder();
    try {
      LibUtils.checkStatus();
    } catch (RuntimeException | LinkageError e) {
      throw NativeFolder.fault(NAME, folder, "free space there, or report it with --verbose", e);
    }
    loaded = true;
  }

  /** Where DJL unpacks the library: the folder that the user names, its own, or a temporary one. */
  private static Path folder() {
    if (isNamed(FOLDER) || isNamed("DJL_CACHE_DIR") || isNamed("RUST_LIBRARY_PATH")) {
      return Utils.getEngineCacheDir(ENGINE);
    }
    Path folder =
        NativeFolder.choose(
            NAME,
            Path.of(System.getProperty("user.home"), ".djl.ai"),
            NativeFolder.temporary().resolve(".djl.ai-" + System.getProperty("user.name")));
    System.setProperty(FOLDER, folder.toString());
    if (System.getProperty(SCRATCH) == null) {
      System.setProperty(SCRATCH, folder.toString());
    }
    return folder;
  }

  private static boolean isNamed(String setting) {
    return Utils.getEnvOrSystemProperty(setting) != null;
  }
}
