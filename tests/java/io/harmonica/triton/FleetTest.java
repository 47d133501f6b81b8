package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCallStreamObserver;
import io.grpc.stub.StreamObserver;
import io.harmonica.Eventually;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.ContractModels;
import io.harmonica.runtime.ModelRepository;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.RuntimeContract;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Tensor;
import io.harmonica.triton.proto.ModelInferRequest;
import io.harmonica.triton.proto.ModelInferResponse;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Several real servers as one runtime. */
@Tag("triton")
class FleetTest {
  private static final Set<String> COUNT = Set.of("count");

  @TempDir static Path folder;

  private static TritonServer lasting;

  @TempDir Path own;

  @BeforeAll
  static void serve() throws Exception {
    ContractModels.writeCounter(folder);
    ContractModels.writeUnbatched(folder);
    lasting = TritonServer.start(folder);
  }

  @AfterAll
  static void stop() {
    if (lasting != null) {
      lasting.close();
    }
  }

  private static String nowhere() throws Exception {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return "127.0.0.1:" + socket.getLocalPort();
    }
  }

  private static float[] negated(Runtime runtime, float value) {
    return negated(x -> runtime.infer("unbatched", Map.of("x", x), Set.of("y")), value);
  }

  private static float[] negated(Session session, float value) {
    return negated(x -> session.infer(0, "unbatched", Map.of("x", x), Set.of("y")), value);
  }

  private static float[] negated(Function<Tensor, Map<String, Tensor>> model, float value) {
    try (Tensor x = WireTensor.of(FloatBuffer.wrap(new float[] {value, 1}), 2, 1);
        Tensor y = model.apply(x).get("y")) {
      return RuntimeContract.values(y);
    }
  }

  private static CompletableFuture<Map<String, Tensor>> count(Runtime runtime, long limit) {
    return runtime.inferAsync("counter", Map.of("limit", limit(limit)), COUNT);
  }

  private static CompletableFuture<Map<String, Tensor>> count(Session session, long limit) {
    return session.inferAsync(0, "counter", Map.of("limit", limit(limit)), COUNT);
  }

  private static Tensor limit(long limit) {
    return WireTensor.of(LongBuffer.wrap(new long[] {limit}), 1);
  }

  private static final class Failovers implements FleetListener {
    final List<String> moves = new ArrayList<>();

    @Override
    public void onFailover(String from, String to, HarmonicaException fault) {
      moves.add(from + " " + to);
      assertThat(fault).hasMessageContaining(from);
    }
  }

  @Test
  void session_staysAtItsServer_andMovesWhenThatIsKilled() throws Exception {
    Failovers failovers = new Failovers();
    try (TritonServer mortal = TritonServer.start(folder);
        Fleet fleet =
            Fleet.connect(
                mortal.address() + "," + lasting.address(),
                ServerOptions.DEFAULTS.withListener(failovers))) {
      fleet.config("unbatched");
      List<Session> sessions =
          IntStream.range(0, 4).mapToObj(i -> fleet.session(() -> new Plan(List.of()))).toList();
      for (int round = 1; round < 4; round++) {
        for (Session session : sessions) {
          assertThat(negated(session, round)).containsExactly(-round, -1);
        }
      }
      String key = "nv_inference_request_success{model=\"unbatched\",version=\"1\"} ";
      assertThat(mortal.metrics()).contains(key + "6"); // half of them, each with all its calls
      mortal.kill();
      for (Session session : sessions) {
        assertThat(negated(session, 7)).containsExactly(-7, -1);
        session.close();
      }
      String move = mortal.address() + " " + lasting.address();
      assertThat(failovers.moves).containsExactly(move, move);
      assertThat(fleet.failovers()).isEqualTo(2);
      assertThat(fleet.retries()).isZero();
    }
  }

  @Test
  void serverThatIsAwayAtFirst_isUsedWhenItComes() throws Exception {
    String away = nowhere();
    try (Fleet fleet = Fleet.connect(away + "," + lasting.address())) {
      assertThat(fleet.config("unbatched").getName()).isEqualTo("unbatched");
      for (int i = 0; i < 4; i++) {
        assertThat(negated(fleet, i + 1)).containsExactly(-i - 1, -1);
      }
      assertThat(fleet.description()).isEqualTo("Triton 2.51.0 at " + lasting.address());
    }
  }

  @Test
  void serversThatAreAllAway_areNamedEach() throws Exception {
    String one = nowhere();
    String other = nowhere();
    assertThatThrownBy(() -> Fleet.connect(one + "," + other))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("none of 2 Triton servers is there: ")
        .hasMessageContainingAll(one, other, "connection refused");
  }

  @Test
  void oneThatIsNoTriton_isRefused_evenBesideOthers() throws Exception {
    HttpServer http =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 1);
    http.start();
    try {
      String address = "127.0.0.1:" + http.getAddress().getPort();
      assertThatThrownBy(() -> Fleet.connect(lasting.address() + "," + address))
          .hasMessageStartingWith("Triton server " + address + " answers, but not as Triton's");
    } finally {
      http.stop(0);
    }
  }

  /** It takes connections and breaks them off. */
  @Test
  void gatewayWhoseServerIsAway_isAway_andUsedWhenThatComes() throws Exception {
    int[] ports = TritonServer.freePorts(3);
    try (LoopbackProxy gateway = LoopbackProxy.to("127.0.0.1:" + ports[0], Duration.ZERO);
        Fleet fleet = Fleet.connect(gateway.address() + "," + lasting.address())) {
      fleet.config("unbatched");
      for (int i = 0; i < 4; i++) {
        assertThat(negated(fleet, i + 1)).containsExactly(-i - 1, -1);
      }
      assertThatThrownBy(() -> Fleet.connect(gateway.address()))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("Triton server " + gateway.address())
          .hasMessageNotContaining("\n");
      try (TritonServer late = TritonServer.startAt(folder, ports)) {
        Eventually.until(
            "a call at the server that came",
            () -> {
              assertThat(negated(fleet, 5)).containsExactly(-5, -1);
              return late.metrics()
                  .matches(
                      "(?s).*nv_inference_request_success\\{model=\"unbatched\",[^}]*} [1-9].*");
            });
      }
    }
  }

  @Test
  void serversWithOtherVersions_areRefused_andToldApart() throws Exception {
    ContractModels.writeUnbatched(own);
    Files.move(own.resolve("unbatched/1"), own.resolve("unbatched/2"));
    try (TritonServer newer = TritonServer.start(own);
        Fleet fleet = Fleet.connect(lasting.address() + "," + newer.address())) {
      assertThatThrownBy(() -> fleet.config("unbatched"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "Triton servers %s and %s disagree about model 'unbatched' (version of unbatched: 1 at"
                  + " %s, 2 at %s): serve the same export from both",
              lasting.address(), newer.address(), lasting.address(), newer.address());
      assertThatThrownBy(() -> fleet.config("counter"))
          .hasMessageStartingWith("Triton server " + newer.address() + " has no model 'counter'");
    }
  }

  @Test
  void serverThatComesBackWithAnotherVersion_getsNoWork() throws Exception {
    ContractModels.writeUnbatched(own);
    int[] ports = TritonServer.freePorts(3);
    Failovers failovers = new Failovers();
    TritonServer before = TritonServer.startAt(own, ports);
    try (Fleet fleet =
        Fleet.connect(
            before.address() + "," + lasting.address(),
            ServerOptions.DEFAULTS.withListener(failovers))) {
      fleet.config("unbatched");
      try (Session session = fleet.session(() -> new Plan(List.of()));
          Session another = fleet.session(() -> new Plan(List.of()))) {
        negated(session, 1);
        negated(another, 1);
        before.kill();
        negated(session, 2);
        negated(another, 2);
      }
      Files.move(own.resolve("unbatched/1"), own.resolve("unbatched/2"));
      try (TritonServer after = TritonServer.startAt(own, ports)) {
        for (int i = 0; i < 6; i++) {
          assertThat(negated(fleet, i + 1)).containsExactly(-i - 1, -1);
          Thread.sleep(50); // past the server's rest
        }
        assertThat(after.metrics())
            .doesNotContain("nv_inference_request_success{model=\"unbatched\",version=\"2\"} 1");
      }
    } finally {
      before.close();
    }
  }

  @Test
  void oneServerThatDies_isAFaultWithinTheDeadline() throws Exception {
    List<HarmonicaException> retries = new ArrayList<>();
    FleetListener listener =
        new FleetListener() {
          @Override
          public void onRetry(Duration pause, HarmonicaException fault) {
            assertThat(pause).isLessThanOrEqualTo(Duration.ofMillis(400));
            retries.add(fault);
          }
        };
    try (TritonServer mortal = TritonServer.start(folder);
        Fleet fleet =
            Fleet.connect(mortal.address(), ServerOptions.DEFAULTS.withListener(listener))) {
      assertThat(negated(fleet, 1)).containsExactly(-1, -1);
      mortal.kill();
      assertThatThrownBy(() -> negated(fleet, 1))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("Triton server " + mortal.address())
          .hasMessageContaining("start it");
      assertThat(retries).hasSize(3);
      assertThat(fleet.retries()).isEqualTo(3);
    }
  }

  @Test
  void faultOfTheRequest_isNotRepeated() {
    try (Fleet fleet =
            Fleet.connect(lasting.address() + "," + lasting.address() + "," + lasting.address());
        Tensor x = fleet.tensor(FloatBuffer.allocate(1), 1, 1)) {
      assertThatThrownBy(() -> fleet.infer("unbatched", Map.of("x", x), Set.of("y")))
          .hasMessageContaining("takes input 'x' in shape [2, any], not [1, 1]");
      assertThat(fleet.retries() + fleet.failovers()).isZero();
    }
  }

  @Test
  void pictureDeadline_coversAllOfItsCalls() {
    ServerOptions options = ServerOptions.DEFAULTS.withPictureDeadline(Duration.ofMillis(500));
    try (Fleet fleet = Fleet.connect(lasting.address(), options);
        Session session = fleet.session(() -> new Plan(List.of()))) {
      assertThat(RuntimeContract.values(Chain.await(count(session, 3), "").get("count")))
          .containsExactly(3);
      assertThatThrownBy(() -> Chain.await(count(session, 2_000_000), ""))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith("the picture was not finished within its deadline of 0.5 s");
      assertThatThrownBy(() -> Chain.await(count(session, 1), ""))
          .hasMessageStartingWith("the picture was not finished within its deadline of 0.5 s");
    }
  }

  /** Never answers a request, and notes when it is called off. */
  private static final class Endless extends StubServer {
    final CountDownLatch asked = new CountDownLatch(1);
    final CountDownLatch cancelled = new CountDownLatch(1);

    @Override
    ModelConfig config(String model) {
      return ModelConfig.newBuilder()
          .setName("m")
          .addOutput(ModelRepository.output("count", DataType.TYPE_FP32, 1))
          .build();
    }

    @Override
    public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> observer) {
      ((ServerCallStreamObserver<ModelInferResponse>) observer)
          .setOnCancelHandler(cancelled::countDown);
      asked.countDown();
    }
  }

  @Test
  void cancelledOrInterruptedCall_isCalledOffOnTheServer() throws Exception {
    for (boolean waiting : new boolean[] {false, true}) {
      Endless endless = new Endless();
      Server grpc = NettyServerBuilder.forPort(0).addService(endless).build().start();
      try (Fleet fleet = Fleet.connect("localhost:" + grpc.getPort())) {
        if (waiting) {
          Thread caller = Thread.currentThread();
          new Thread(
                  () -> {
                    try {
                      endless.asked.await();
                    } catch (InterruptedException e) {
                      throw new IllegalStateException(e);
                    }
                    caller.interrupt();
                  })
              .start();
          assertThatThrownBy(() -> fleet.infer("m", Map.of(), COUNT))
              .isInstanceOf(HarmonicaException.class)
              .hasMessageContainingAll("'m'", "cancelled");
          assertThat(Thread.interrupted()).isTrue();
        } else {
          CompletableFuture<?> call = fleet.inferAsync("m", Map.of(), COUNT);
          endless.asked.await();
          call.cancel(true);
        }
        assertThat(endless.cancelled.await(30, TimeUnit.SECONDS)).isTrue();
      } finally {
        grpc.shutdownNow();
      }
    }
  }

  @Test
  void limit_letsCallsWait() {
    try (Fleet fleet = Fleet.connect(lasting.address(), ServerOptions.DEFAULTS.withPerServer(1))) {
      List<CompletableFuture<Map<String, Tensor>>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(count(fleet, i));
      }
      for (int i = 0; i < 8; i++) {
        assertThat(RuntimeContract.values(calls.get(i).join().get("count"))).containsExactly(i);
      }
    }
  }

  @Test
  void pauses_growAndJitter() {
    Retry retry = new Retry(4, Duration.ofMillis(100), Duration.ofMillis(300));
    Random random = new Random(1);
    for (int attempt = 0; attempt < 5; attempt++) {
      int number = attempt;
      List<Duration> pauses =
          IntStream.range(0, 200).mapToObj(i -> retry.pause(number, random)).toList();
      Duration longest = Duration.ofMillis(Math.min(300, 100L << attempt));
      assertThat(pauses).allSatisfy(p -> assertThat(p).isLessThanOrEqualTo(longest));
      assertThat(pauses).anySatisfy(p -> assertThat(p).isGreaterThan(longest.dividedBy(2)));
      assertThat(pauses).anySatisfy(p -> assertThat(p).isLessThan(longest.dividedBy(4)));
    }
  }

  @Test
  void limit_passesTheTurnOfOneThatWasCancelled() {
    Limit limit = new Limit(1);
    CompletableFuture<String> running = new CompletableFuture<>();
    CompletableFuture<String> first = limit.run(() -> running);
    CompletableFuture<String> cancelled = limit.run(() -> CompletableFuture.completedFuture("b"));
    CompletableFuture<String> last = limit.run(() -> CompletableFuture.completedFuture("c"));
    cancelled.cancel(true);
    assertThat(last.isDone()).isFalse();
    running.complete("a");
    assertThat(first.join() + last.join()).isEqualTo("ac");
    assertThat(limit.run(() -> CompletableFuture.completedFuture("d")).join()).isEqualTo("d");
  }
}
