package io.harmonica.torch;

import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import io.harmonica.NativeFolder;
import java.nio.file.Path;
import java.util.Locale;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.pytorch.global.torch;

/** Loads libtorch once a process, and says what to do where it cannot. */
final class Libtorch {
  private static final String NATIVES = "/org/bytedeco/pytorch/linux-x86_64%s/libjnitorch.so";

  private static final String NAME = "libtorch";
  private static final String CACHE = "org.bytedeco.javacpp.cachedir";

  private static boolean loaded;

  private Libtorch() {}

  /**
   * Must come before anything else touches a class of bytedeco.
   *
   * @throws HarmonicaException if library or natives are not there, or do not load
   */
  static synchronized void load() {
    if (loaded) {
      return;
    }
    String platform = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!platform.equals("Linux amd64")) {
      throw new HarmonicaException(
          "training needs libtorch, which is set up for Linux x86_64 only, and this is %s: train there; everything else works here"
              .formatted(platform));
    }
    Library.PYTORCH.require();
    if (!hasNatives("") && !hasNatives("-gpu")) {
      throw new HarmonicaException(
          "training needs libtorch, and its natives are not on the class path: build with the Maven profile torch-cpu (HARMONICA_TORCH=cpu, or ./mvnw package -Dtorch=cpu) or torch-gpu (gpu for cpu); in a project of your own add org.bytedeco:pytorch, javacpp and openblas with classifier linux-x86_64, and mkl with linux-x86_64-redist");
    }
    // JavaCPP would count every allocation against Java's heap limit, and read /proc each time.
    setDefault("org.bytedeco.javacpp.maxBytes", "0");
    setDefault("org.bytedeco.javacpp.maxPhysicalBytes", "0");
    setDefault("org.bytedeco.openblas.load", "mkl_rt"); // about twice as fast as OpenBLAS
    Path folder = folder();
    try {
      Loader.load(torch.class);
    } catch (RuntimeException | LinkageError e) {
      throw NativeFolder.fault(
          NAME,
          folder,
          hasNatives("-gpu")
              ? "the natives of profile torch-gpu need CUDA 13, cuDNN 9 and NCCL 2 installed; name their folders in LD_LIBRARY_PATH, or build with -Dtorch=cpu"
              : "is there room for 1 GB (else name a folder with -D%s=DIR), and a glibc of 2.28 or later?"
                  .formatted(CACHE),
          e);
    }
    if (!torch.has_env("MKL_THREADING_LAYER")) {
      torch.set_env("MKL_THREADING_LAYER", "GNU"); // libtorch's own pool of threads, not a second
    }
    if (!torch.has_env("OMP_NUM_THREADS")) { // which libtorch heeds by itself
      torch.set_num_threads(Runtime.getRuntime().availableProcessors());
    }
    loaded = true;
  }

  static boolean hasNatives(String extension) {
    return Libtorch.class.getResource(NATIVES.formatted(extension)) != null;
  }

  /** Where JavaCPP unpacks the natives: the folder that the user names, its own, or a temporary. */
  private static Path folder() {
    String named = System.getProperty(CACHE);
    if (named != null) {
      return Path.of(named);
    }
    Path folder =
        NativeFolder.choose(
            NAME,
            Path.of(System.getProperty("user.home"), ".javacpp", "cache"),
            NativeFolder.temporary().resolve(".javacpp-" + System.getProperty("user.name")));
    System.setProperty(CACHE, folder.toString());
    return folder;
  }

  /** Whether a fault of libtorch says that the device's memory did not suffice. */
  static boolean isOutOfMemory(Throwable fault) {
    String message = String.valueOf(fault.getMessage()).toLowerCase(Locale.ROOT);
    return message.contains("out of memory") || message.contains("can't allocate memory");
  }

  private static void setDefault(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }
}
