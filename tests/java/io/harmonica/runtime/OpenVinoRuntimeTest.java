package io.harmonica.runtime;

import java.nio.file.Path;

class OpenVinoRuntimeTest extends RuntimeContract {
  @Override
  protected Runtime open(Path repository) {
    return EmbeddedRuntime.open(repository, Backend.of(Device.parse("openvino")));
  }
}
