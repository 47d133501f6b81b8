package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.harmonica.Eventually;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.ContractModels;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.RuntimeContract;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Tensor;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.AbstractThrowableAssert;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("triton")
class TritonRuntimeTest extends RuntimeContract {
  private static final Set<String> COUNT = Set.of("count");

  private TritonServer server;

  @Override
  protected Runtime open(Path repository) throws Exception {
    if (server == null) {
      server = TritonServer.start(repository);
    }
    return TritonRuntime.connect(server.address());
  }

  @Test
  void statistics_countBytesOnTheWire(@TempDir Path repository) throws Exception {
    try (Runtime client = open(repository);
        Tensor x = client.tensor(FloatBuffer.allocate(6), 2, 3)) {
      assertThat(client.statistics().traffic().sentBytes()).isZero();
      client.infer("affine", Map.of("x", x), Set.of("y")).get("y").close();
      Statistics statistics = client.statistics();
      assertThat(statistics.traffic().sentBytes()).isBetween(24L, 124L); // 24 bytes of values
      assertThat(statistics.traffic().receivedBytes()).isBetween(24L, 124L);
    }
  }

  @AfterAll
  void stopServer() {
    if (server != null) {
      server.close();
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "localhost",
        "localhost:",
        ":8001",
        "localhost:0",
        "localhost:65536",
        "http://localhost:8001",
        "localhost:8001/v2",
        "::1:8001",
        "a b:8001",
        "localhost:grpc"
      })
  void connect_toOtherThanHostAndPort_saysTheForm(String address) {
    assertFault(() -> TritonRuntime.connect(address))
        .hasMessage(
            "Triton address '%s' is not HOST:PORT: give the server's gRPC port, such as localhost:8001",
            address);
  }

  @Test
  void connect_byIpv6Address_findsTheHost() {
    assertThat(Address.parse("[::1]:8001"))
        .isEqualTo(new Address("::1", 8001))
        .hasToString("[::1]:8001");
  }

  @Test
  void connect_whereNothingListens_saysToStartIt() throws Exception {
    ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    socket.close();
    String address = "127.0.0.1:" + socket.getLocalPort();
    assertFault(() -> TritonRuntime.connect(address))
        .hasMessageStartingWith("Triton server " + address + " cannot be reached")
        .hasMessageContainingAll("(connection refused)", "start it");
  }

  @Test
  void connect_toUnknownHost_saysSo() {
    assertFault(() -> TritonRuntime.connect("no-such-host.invalid:8001"))
        .hasMessage(
            "Triton server no-such-host.invalid:8001 cannot be reached (unknown host): correct the"
                + " address");
  }

  @Test
  void connect_toAnHttpServer_asksForTheGrpcPort() throws Exception {
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
    http.start();
    try {
      String address = "127.0.0.1:" + http.getAddress().getPort();
      assertFault(() -> TritonRuntime.connect(address))
          .hasMessageStartingWith(
              "Triton server " + address + " answers, but not as Triton's gRPC service")
          .hasMessageContaining("8001");
    } finally {
      http.stop(0);
    }
  }

  @Test
  void connect_toTritonsHttpPort_asksForTheGrpcPort() {
    assertFault(() -> TritonRuntime.connect("127.0.0.1:" + server.httpPort()))
        .hasMessageContaining("answers, but not as Triton's gRPC service");
  }

  @Test
  void connect_toAnotherGrpcServer_asksForTritons() throws Exception {
    Server other =
        NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0))
            .build()
            .start();
    try {
      assertFault(() -> TritonRuntime.connect("127.0.0.1:" + other.getPort()))
          .hasMessageContaining("answers, but not as Triton's gRPC service");
    } finally {
      other.shutdownNow();
    }
  }

  @Test
  void brokenModel_isToldWithItsReason_andLeavesOthersInPeace(@TempDir Path repository)
      throws Exception {
    ContractModels.writeCounter(repository);
    ContractModels.writeUnbatched(repository);
    Files.writeString(repository.resolve("counter/1/model.onnx"), "truncated");
    try (TritonServer server = TritonServer.startDespiteFaults(repository);
        Runtime runtime = TritonRuntime.connect(server.address())) {
      assertFault(() -> runtime.config("counter"))
          .hasMessageStartingWith("Triton server " + server.address() + " has model 'counter'")
          .hasMessageContainingAll("not loaded", "Protobuf parsing failed");
      assertFault(() -> runtime.config("unknown")).hasMessageContaining("is up but not ready");
      try (Tensor x = runtime.tensor(FloatBuffer.allocate(2), 2, 1)) {
        runtime.infer("unbatched", Map.of("x", x), Set.of("y")).values().forEach(Tensor::close);
      }
    }
  }

  @Test
  void call_interrupted_saysCancelled() throws Exception {
    SlowServer slow = new SlowServer();
    Server grpc = NettyServerBuilder.forPort(0).addService(slow).build().start();
    try (Runtime runtime = TritonRuntime.connect("localhost:" + grpc.getPort())) {
      Thread.currentThread().interrupt();
      assertFault(() -> runtime.config("slow")).hasMessageContainingAll("'slow'", "cancelled");
      assertThat(Thread.interrupted()).isTrue();
    } finally {
      slow.answer.countDown();
      grpc.shutdownNow();
    }
  }

  @Test
  void connect_toASilentPort_endsByTheDeadline() throws Exception {
    try (ServerSocket silent = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String address = "127.0.0.1:" + silent.getLocalPort();
      assertFault(() -> TritonRuntime.connect(address, new ServerOptions(Duration.ofMillis(200))))
          .hasMessageContainingAll(address, "deadline of 0.2 s");
    }
  }

  @Test
  void options_withoutTime_areRefused() {
    assertThatIllegalArgumentException().isThrownBy(() -> new ServerOptions(Duration.ZERO));
  }

  @Test
  void infer_ofLargeTensors_passesGrpcsUsualLimit() {
    int values = 8 << 20; // 32 MiB; gRPC's default is 4 MiB
    try (Runtime runtime = TritonRuntime.connect(server.address());
        Tensor x = runtime.tensor(FloatBuffer.allocate(values).put(values - 1, 5), 2, values / 2)) {
      try (Tensor y = runtime.infer("unbatched", Map.of("x", x), Set.of("y")).get("y")) {
        assertThat(y.floats().get(values - 1)).isEqualTo(-5);
      }
    }
  }

  @Test
  void config_ofModelThatIsNotLoaded_saysToLoadIt(@TempDir Path repository) throws Exception {
    ContractModels.writeCounter(repository);
    try (TritonServer server = TritonServer.start(repository)) {
      Path late = repository.resolve("late");
      Files.createDirectories(late.resolve("1"));
      Files.copy(repository.resolve("counter/1/model.onnx"), late.resolve("1/model.onnx"));
      Files.writeString(late.resolve("config.pbtxt"), "backend: 'onnxruntime'");
      try (Runtime runtime = TritonRuntime.connect(server.address())) {
        assertFault(() -> runtime.config("late"))
            .hasMessageContainingAll(server.address(), "'late'", "not loaded", "--load-model");
      }
    }
  }

  @Test
  void infer_beyondTheDeadline_saysTheModelAndTheTime(@TempDir Path repository) throws Exception {
    ContractModels.writeCounter(repository);
    try (TritonServer server = TritonServer.start(repository);
        Runtime runtime =
            TritonRuntime.connect(server.address(), new ServerOptions(Duration.ofMillis(700)))) {
      assertThat(RuntimeContract.values(count(runtime, 3))).containsExactly(3);
      assertFault(() -> count(runtime, Long.MAX_VALUE))
          .hasMessage(
              "Triton server %s gave no answer within the deadline of 0.7 s while asked for model"
                  + " 'counter': give it more time, or lighten its load",
              server.address());
      server.kill();
    }
  }

  @Test
  void infer_onServerThatDies_saysItWentAway(@TempDir Path repository) throws Exception {
    ContractModels.writeCounter(repository);
    ExecutorService callers = Executors.newFixedThreadPool(2);
    try (TritonServer server = TritonServer.start(repository);
        Runtime runtime = TritonRuntime.connect(server.address())) {
      List<Future<Tensor>> calls =
          List.of(
              callers.submit(() -> count(runtime, Long.MAX_VALUE)),
              callers.submit(() -> count(runtime, Long.MAX_VALUE)));
      // One instance: when the second call waits in the queue, the first is being computed.
      Eventually.until(
          "a call in the queue",
          () ->
              server
                  .metrics()
                  .contains(
                      "nv_inference_pending_request_count{model=\"counter\",version=\"1\"} 1"));
      server.kill();
      for (Future<Tensor> call : calls) {
        assertThatThrownBy(call::get)
            .isInstanceOf(ExecutionException.class)
            .cause()
            .isInstanceOf(HarmonicaException.class)
            .hasMessageStartingWith(
                "Triton server " + server.address() + " went away while asked for model 'counter'");
      }
      assertFault(() -> count(runtime, 1)).hasMessageContaining("cannot be reached");
    } finally {
      callers.shutdown();
    }
  }

  /** Answers for model {@code slow} only when it is told to. */
  private static final class SlowServer extends StubServer {
    final CountDownLatch asked = new CountDownLatch(1);
    final CountDownLatch answer = new CountDownLatch(1);

    @Override
    ModelConfig config(String model) throws InterruptedException {
      if (model.equals("slow")) {
        asked.countDown();
        answer.await();
      }
      return ModelConfig.newBuilder().setName(model).build();
    }
  }

  @Test
  void close_letsRunningCallsEnd_andRefusesOthers() throws Exception {
    SlowServer slow = new SlowServer();
    Server grpc = NettyServerBuilder.forPort(0).addService(slow).build().start();
    ExecutorService threads = Executors.newFixedThreadPool(2);
    try {
      Runtime runtime = TritonRuntime.connect("localhost:" + grpc.getPort());
      Future<ModelConfig> call = threads.submit(() -> runtime.config("slow"));
      slow.asked.await();
      Future<?> close = threads.submit(runtime::close);
      Eventually.until("closed to others", () -> isClosed(runtime));
      assertThat(close.isDone()).isFalse();
      slow.answer.countDown();
      assertThat(call.get().getName()).isEqualTo("slow");
      close.get();
    } finally {
      slow.answer.countDown();
      threads.shutdown();
      grpc.shutdownNow();
    }
  }

  private static boolean isClosed(Runtime runtime) {
    try {
      runtime.config("another");
      return false;
    } catch (IllegalStateException e) {
      return true;
    }
  }

  private static Tensor count(Runtime runtime, long limit) {
    try (Tensor input = runtime.tensor(LongBuffer.wrap(new long[] {limit}), 1)) {
      return runtime.infer("counter", Map.of("limit", input), COUNT).get("count");
    }
  }

  private static AbstractThrowableAssert<?, ? extends Throwable> assertFault(
      ThrowingCallable call) {
    return assertThatThrownBy(call)
        .isInstanceOf(HarmonicaException.class)
        .hasMessageNotContaining("\n");
  }
}
