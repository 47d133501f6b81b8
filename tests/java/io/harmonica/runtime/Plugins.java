package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.harmonica.cli.Invocation;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Plugins for tests, installed as users install them: once, into the user's cache. */
public final class Plugins {
  private Plugins() {}

  /** Whether OpenVINO's plugin finds a device here: it takes Intel's processors, and no others. */
  public static boolean openVinoHasDevice() {
    try {
      return Files.readString(Path.of("/proc/cpuinfo")).contains("GenuineIntel");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** OpenVINO on the processor, if it is Intel's; the first call of all gets it by pip. */
  public static synchronized Device openVino() {
    assumeThat(openVinoHasDevice()).isTrue();
    Invocation install = Invocation.of("device", "install", "openvino");
    assertThat(install.code()).as(install.err()).isZero();
    return Device.parse("openvino,precision=f32");
  }
}
