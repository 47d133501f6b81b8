package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that are no plugins: nothing is installed for it. */
class PluginLibraryTest {
  @TempDir Path folder;

  private static void assertRefused(Path file, String... parts) {
    assertThatThrownBy(() -> Backend.of(new Device(file.toString(), Map.of())))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("device " + file + ": ")
        .hasMessageContainingAll(parts);
  }

  @Test
  void fileThatIsNotThere_isNamed() {
    assertRefused(folder.resolve("libnone.so"), "no plugin at ", "check the path");
  }

  @Test
  void fileThatIsNoLibrary_saysWhy() throws IOException {
    Path text = Files.writeString(folder.resolve("libtext.so"), "no library");
    assertRefused(text, "its plugin does not load", "file too short", "or run with `device` cpu");
  }

  /** ONNX Runtime's own binding for Java is a library, and of something else. */
  @Test
  void libraryOfSomethingElse_isNoPlugin() throws IOException {
    Path other = folder.resolve("libother.so");
    try (InputStream bytes =
        ai.onnxruntime.OrtEnvironment.class.getResourceAsStream(
            "/ai/onnxruntime/native/linux-x64/libonnxruntime4j_jni.so")) {
      Files.copy(bytes, other);
    }
    assertRefused(other, "CreateEpFactories", "no execution provider's plugin: name another file");
  }

  @Test
  void wheelOfAnotherKind_isRefused_andNothingIsWritten() throws IOException {
    Path wheel = Files.writeString(folder.resolve("other.whl"), "no wheel");
    PluginFolder plugins = new PluginFolder(folder.resolve("devices"));
    assertThatThrownBy(() -> plugins.install(KnownPlugin.OPENVINO, wheel))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(
            wheel + " is not the package of device openvino: SHA-256 ",
            "expected 3832643158c8",
            "pip download --no-deps onnxruntime-ep-openvino==1.8.1");
    assertThat(folder.resolve("devices")).doesNotExist();
    assertThatThrownBy(() -> plugins.install(KnownPlugin.OPENVINO, folder.resolve("none.whl")))
        .hasMessage(
            "no file at %s: name the package of device openvino, onnxruntime-ep-openvino 1.8.1",
            folder.resolve("none.whl"));
  }
}
