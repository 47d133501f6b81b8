package io.harmonica.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.cli.Invocation;

/** Plugins for tests, installed as users install them: once, into the user's cache. */
public final class Plugins {
  private Plugins() {}

  /** OpenVINO on the processor; the first call of all gets it by pip. */
  public static synchronized Device openVino() {
    Invocation install = Invocation.of("device", "install", "openvino");
    assertThat(install.code()).as(install.err()).isZero();
    return Device.parse("openvino,precision=f32");
  }
}
