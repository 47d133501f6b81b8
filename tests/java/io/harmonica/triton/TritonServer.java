package io.harmonica.triton;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.HttpURLConnection;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * A real Triton server for tests, on loopback: installed on first use (tests/triton/install.sh),
 * started on free ports, stopped by {@link #close}.
 *
 * <p>Each model is a process of its own in the stand-in backend, so share a server between the
 * tests of a class and keep repositories small.
 */
public final class TritonServer implements AutoCloseable {
  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final Path SHARED_MEMORY = Path.of("/dev/shm");

  private final String sharedMemoryPrefix = "harmonica-test-" + UUID.randomUUID();
  private final int[] ports; // gRPC, HTTP, metrics
  private final Path log;
  private final Process process;
  private final Thread onExit = new Thread(this::destroy); // of the JVM, when close was not called

  private TritonServer(Path repository, int[] ports, String... flags) throws IOException {
    this.ports = ports;
    log = Files.createTempFile("tritonserver", ".log");
    List<String> command = new ArrayList<>(List.of("tests/triton/serve.sh", repository.toString()));
    Arrays.stream(ports).mapToObj(String::valueOf).forEach(command::add);
    command.addAll(List.of("--", "--http-address=127.0.0.1", "--grpc-address=127.0.0.1"));
    command.add("--metrics-address=127.0.0.1");
    command.add("--backend-config=python,shm-region-prefix-name=" + sharedMemoryPrefix);
    command.addAll(List.of(flags));
    process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    java.lang.Runtime.getRuntime().addShutdownHook(onExit);
  }

  /** Starts a server with all models of a repository, and waits until they are ready. */
  public static TritonServer start(Path repository, String... flags)
      throws IOException, InterruptedException {
    return startUntil(repository, freePorts(3), "/v2/health/ready", flags);
  }

  /** Starts one where another was, on the {@link #freePorts} of that. */
  public static TritonServer startAt(Path repository, int[] ports, String... flags)
      throws IOException, InterruptedException {
    return startUntil(repository, ports, "/v2/health/ready", flags);
  }

  /**
   * Starts a server that goes on without the models that fail to load, and waits until it lives.
   */
  public static TritonServer startDespiteFaults(Path repository)
      throws IOException, InterruptedException {
    return startUntil(repository, freePorts(3), "/v2/health/live", "--exit-on-error=false");
  }

  private static TritonServer startUntil(
      Path repository, int[] ports, String health, String... flags)
      throws IOException, InterruptedException {
    install();
    TritonServer server = new TritonServer(repository, ports, flags);
    try {
      server.await(health);
      return server;
    } catch (RuntimeException | IOException | InterruptedException e) {
      server.close();
      throw e;
    }
  }

  /** The server's gRPC service, {@code HOST:PORT}. */
  public String address() {
    return "127.0.0.1:" + ports[0];
  }

  /** The body of an answer of the server's HTTP service, such as {@code /v2/health/ready}. */
  public String http(String path) throws IOException {
    return ask(ports[1], path, "GET");
  }

  /** Posts nothing to an address of its HTTP service. */
  public String post(String path) throws IOException {
    return ask(ports[1], path, "POST");
  }

  /** What the server has logged: the reasons of its answers. */
  public String log() throws IOException {
    return Files.readString(log);
  }

  public int httpPort() {
    return ports[1];
  }

  /** The server's metrics, in Prometheus' text form. */
  public String metrics() throws IOException {
    return ask(ports[2], "/metrics", "GET");
  }

  /** Ends the server as a crash would (SIGKILL). */
  public void kill() {
    List<ProcessHandle> processes =
        Stream.concat(Stream.of(process.toHandle()), process.descendants()).toList();
    processes.forEach(ProcessHandle::destroyForcibly);
    processes.forEach(handle -> handle.onExit().join());
  }

  /** At once: a server that is asked to end looks only every second whether its models have. */
  @Override
  public void close() {
    java.lang.Runtime.getRuntime().removeShutdownHook(onExit);
    destroy();
  }

  private void destroy() {
    kill();
    try (Stream<Path> regions = Files.list(SHARED_MEMORY)) {
      for (Path region : regions.toList()) {
        if (region.getFileName().toString().startsWith(sharedMemoryPrefix)) {
          Files.deleteIfExists(region);
        }
      }
      Files.deleteIfExists(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Installs the server, unless it is: for what then starts it without a network. */
  public static synchronized void install() throws IOException, InterruptedException {
    int exit =
        new ProcessBuilder("tests/triton/install.sh")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start()
            .waitFor();
    if (exit != 0) {
      throw new IllegalStateException("tests/triton/install.sh failed: its output says why");
    }
  }

  private void await(String health) throws IOException, InterruptedException {
    long end = System.nanoTime() + START_LIMIT.toNanos();
    while (!answers(health)) {
      if (!process.isAlive() || System.nanoTime() > end) {
        List<String> lines = new String(Files.readAllBytes(log), UTF_8).lines().toList();
        List<String> tail = lines.subList(Math.max(0, lines.size() - 60), lines.size());
        String what = process.isAlive() ? "is not ready after " + START_LIMIT : "ended";
        throw new IllegalStateException(
            "tritonserver " + what + "; its log ends:\n" + String.join("\n", tail));
      }
      Thread.sleep(50);
    }
  }

  private boolean answers(String health) {
    try {
      http(health);
      metrics(); // their port opens last
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static String ask(int port, String path, String method) throws IOException {
    var connection = (HttpURLConnection) new URL("http", "127.0.0.1", port, path).openConnection();
    connection.setRequestMethod(method);
    connection.setRequestProperty("Connection", "close"); // the port may be another one's next
    connection.setReadTimeout(10_000);
    if (connection.getResponseCode() != 200) {
      throw new IOException(path + " answered " + connection.getResponseCode());
    }
    try (InputStream body = connection.getInputStream()) {
      return new String(body.readAllBytes(), UTF_8);
    }
  }

  /** Ports that nothing listens on: three are a server's. */
  public static int[] freePorts(int count) {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      int[] ports = sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
      for (ServerSocket socket : sockets) {
        socket.close();
      }
      return ports;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
