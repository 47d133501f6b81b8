package io.harmonica.runtime;

import java.nio.file.Path;

class EmbeddedRuntimeTest extends RuntimeContract {
  @Override
  protected Runtime open(Path repository) {
    return EmbeddedRuntime.open(repository);
  }
}
