package io.harmonica.runtime;

import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;

class TritonRuntimeTest extends RuntimeContract {
  private TritonServer server;

  @Override
  Runtime open(Path repository) throws Exception {
    if (server == null) {
      long t = System.nanoTime();
      server = TritonServer.start(repository);
      System.err.println("READY " + (System.nanoTime() - t) / 1e9);
    }
    return TritonRuntime.connect(server.address(), TritonRuntime.Options.DEFAULTS);
  }

  @AfterAll
  void stopServer() {
    if (server != null) {
      server.close();
    }
  }
}
