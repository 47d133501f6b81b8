package io.harmonica.triton;

import io.grpc.StatusRuntimeException;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Signature;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Tensor;
import io.harmonica.runtime.Traffic;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import io.harmonica.triton.proto.ModelConfigRequest;
import io.harmonica.triton.proto.ModelInferRequest;
import io.harmonica.triton.proto.ModelInferResponse;
import io.harmonica.triton.proto.ModelInferResponse.InferOutputTensor;
import io.harmonica.triton.proto.ModelStatisticsRequest;
import io.harmonica.triton.proto.RepositoryIndexRequest;
import io.harmonica.triton.proto.RepositoryIndexResponse.ModelIndex;
import io.harmonica.triton.proto.ServerLiveRequest;
import io.harmonica.triton.proto.ServerMetadataRequest;
import io.harmonica.triton.proto.ServerReadyRequest;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Runs models on one Triton Inference Server over gRPC.
 *
 * <p>Tensors travel in the messages as raw bytes; those of a {@link #session} lie in memory shared
 * with the server where it runs on this host. A fault names the server, the model and the remedy;
 * {@link TritonFaults} has the words.
 */
public final class TritonRuntime implements Runtime {

  private static final int ROUND_TRIPS = 5;

  private final Address address;
  private final GrpcCalls calls;
  private final ServerOptions options;
  private final TritonFaults faults;
  // As last told, to spare each request a question; config() asks again, a fault forgets.
  private final Map<String, ModelConfig> configs = new ConcurrentHashMap<>();
  private final LongAdder sentBytes = new LongAdder();
  private final LongAdder receivedBytes = new LongAdder();
  private final LongAdder sharedBytes = new LongAdder();
  private final ServerCounts counts;
  private final SharedPlaces places;
  private final AtomicLong roundTrip = new AtomicLong(); // nanoseconds; 0: not measured yet

  private TritonRuntime(Address address, ServerOptions options) {
    this.address = address;
    this.options = options;
    this.faults =
        new TritonFaults(address, options.deadline(), options.connection().tls().isPresent());
    this.calls = new GrpcCalls(options.connection().open(address), options.deadline(), this::fault);
    this.counts =
        new ServerCounts(
            () ->
                call("", stub -> stub.modelStatistics(ModelStatisticsRequest.getDefaultInstance()))
                    .getModelStatsList());
    this.places = new SharedPlaces(this, options.sharedMemory(), faults);
  }

  /** Connects to a server with {@link ServerOptions#DEFAULTS}. */
  public static TritonRuntime connect(String address) {
    return connect(address, ServerOptions.DEFAULTS);
  }

  /**
   * Connects to a server, and checks that it is there. Whether a model is ready shows when it is
   * asked for: somebody else's broken model keeps a server from being "ready" as a whole.
   *
   * @param address {@code HOST:PORT} of the server's gRPC service, such as {@code localhost:8001}
   */
  public static TritonRuntime connect(String address, ServerOptions options) {
    TritonRuntime runtime = of(Address.parse(address).resolved(), options);
    try {
      runtime.checkLive();
      return runtime;
    } catch (RuntimeException e) {
      runtime.close();
      throw e;
    }
  }

  /** A server that may not be there yet. */
  static TritonRuntime of(Address address, ServerOptions options) {
    return new TritonRuntime(address, options);
  }

  /** The models of the server, to load and to unload. */
  public ModelControl models() {
    return new TritonModels(this);
  }

  /** Whether it lives, and has all of its models loaded. */
  public boolean isReady() {
    try {
      return stub().serverReady(ServerReadyRequest.getDefaultInstance()).getReady();
    } catch (StatusRuntimeException e) {
      return false;
    }
  }

  Address address() {
    return address;
  }

  void checkLive() {
    try {
      if (!stub().serverLive(ServerLiveRequest.getDefaultInstance()).getLive()) {
        throw faults.notReady(index());
      }
    } catch (StatusRuntimeException e) {
      throw faults.ofConnecting(e);
    }
  }

  @Override
  public ModelConfig config(String model) {
    ModelConfigRequest request = ModelConfigRequest.newBuilder().setName(model).build();
    ModelConfig config = call(model, stub -> stub.modelConfig(request)).getConfig();
    configs.put(model, config);
    return config;
  }

  CompletableFuture<ModelConfig> configAsync(String model) {
    ModelConfigRequest request = ModelConfigRequest.newBuilder().setName(model).build();
    return Chain.then(
        calls.send(
            GRPCInferenceServiceGrpc.getModelConfigMethod(), request, model, options.deadline()),
        response -> {
          configs.put(model, response.getConfig());
          return CompletableFuture.completedFuture(response.getConfig());
        });
  }

  /** The models that are loaded. */
  CompletableFuture<List<ModelIndex>> indexAsync() {
    return Chain.then(
        calls.send(
            GRPCInferenceServiceGrpc.getRepositoryIndexMethod(),
            RepositoryIndexRequest.newBuilder().setReady(true).build(),
            "",
            options.deadline()),
        response -> CompletableFuture.completedFuture(response.getModelsList()));
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return WireTensor.of(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return WireTensor.of(values, shape);
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return await(inferAsync(model, inputs, outputs), model);
  }

  /** Waits for a model's answer. */
  Map<String, Tensor> await(CompletableFuture<Map<String, Tensor>> answer, String model) {
    return Chain.await(answer, "model '" + model + "' on Triton");
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> inferAsync(
      String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return inferAsync(model, inputs, outputs, Carrier.WIRE, options.deadline());
  }

  /** The same with a way of its own for tensors, and a deadline. */
  CompletableFuture<Map<String, Tensor>> inferAsync(
      String model,
      Map<String, Tensor> inputs,
      Set<String> outputs,
      Carrier carrier,
      Duration deadline) {
    ModelConfig known = configs.get(model);
    CompletableFuture<ModelConfig> config =
        known != null ? CompletableFuture.completedFuture(known) : configAsync(model);
    return Chain.then(
        config,
        checked -> {
          Signature.check(checked, inputs, outputs);
          ModelInferRequest message = carrier.request(model, inputs, outputs);
          return Chain.then(
              calls.send(GRPCInferenceServiceGrpc.getModelInferMethod(), message, model, deadline),
              response ->
                  CompletableFuture.completedFuture(
                      landed(checked, message, response, outputs, carrier)));
        });
  }

  /** In shared memory where it is possible and wanted, else over the wire. */
  @Override
  public Session session(Supplier<Plan> plan) {
    Optional<SharedSession> shared = shared(plan);
    return shared.isPresent() ? shared.get() : Runtime.super.session(plan);
  }

  /** A place in shared memory, where it is possible and wanted. */
  Optional<SharedSession> shared(Supplier<Plan> plan) {
    calls.requireOpen();
    return places.of(plan);
  }

  /** It went away: what it knew of shared memory is gone with it. */
  void forgetShared() {
    places.forget();
  }

  /** A tensor went through shared memory. */
  void countShared(long sizeBytes) {
    sharedBytes.add(sizeBytes);
  }

  Duration deadline() {
    return options.deadline();
  }

  private Map<String, Tensor> landed(
      ModelConfig model,
      ModelInferRequest message,
      ModelInferResponse response,
      Set<String> requested,
      Carrier carrier) {
    counts.answered(model);
    sentBytes.add(message.getSerializedSize());
    receivedBytes.add(response.getSerializedSize());
    Map<String, Tensor> found = new HashMap<>();
    // Contents are empty for what went elsewhere.
    for (int i = 0; i < response.getRawOutputContentsCount(); i++) {
      InferOutputTensor output = response.getOutputs(i);
      if (requested.contains(output.getName())) {
        found.put(output.getName(), carrier.receive(output, response.getRawOutputContents(i)));
      }
    }
    if (!found.keySet().equals(requested)) {
      throw faults.lacksOutputs(message.getModelName(), requested, found.keySet());
    }
    return found;
  }

  @Override
  public String description() {
    String version =
        call("", stub -> stub.serverMetadata(ServerMetadataRequest.getDefaultInstance()))
            .getVersion();
    return "Triton %s at %s".formatted(version, address);
  }

  /** All models of the server, once it has counted this client's calls, and its own bytes. */
  @Override
  public Statistics statistics() {
    return counts.statistics(traffic());
  }

  @Override
  public boolean sharesMemory() {
    return places.areThere();
  }

  /** Measured once, when first asked for; 0 where memory is to be shared, so on this host. */
  @Override
  public long roundTripNanos() {
    if (options.sharedMemory() == SharedMemory.ON) {
      return 0;
    }
    synchronized (roundTrip) {
      if (roundTrip.get() == 0) {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < ROUND_TRIPS; i++) {
          long start = System.nanoTime();
          call("", stub -> stub.serverLive(ServerLiveRequest.getDefaultInstance()));
          least = Math.min(least, System.nanoTime() - start);
        }
        roundTrip.set(least);
      }
      return roundTrip.get();
    }
  }

  @Override
  public Traffic traffic() {
    return new Traffic(sentBytes.sum(), receivedBytes.sum(), sharedBytes.sum(), 0, 0);
  }

  /** Makes a call about a model ("" for none) and waits for it. */
  <T> T call(String model, Function<GRPCInferenceServiceBlockingStub, T> call) {
    return calls.call(model, call);
  }

  private RuntimeException fault(StatusRuntimeException e, String model) {
    configs.remove(model);
    return faults.isAboutModel(e) ? withoutModel(e, model) : faults.ofCall(e, model);
  }

  private HarmonicaException withoutModel(StatusRuntimeException e, String model) {
    List<ModelIndex> index = index();
    boolean listed = index.stream().anyMatch(entry -> entry.getName().equals(model));
    return listed || isReady() ? faults.noModel(e, model, index) : faults.notReady(index);
  }

  /** All models of the server's repository, loaded or not; empty when it does not tell. */
  private List<ModelIndex> index() {
    try {
      return stub().repositoryIndex(RepositoryIndexRequest.getDefaultInstance()).getModelsList();
    } catch (StatusRuntimeException e) {
      return List.of(); // it only helps to word another fault
    }
  }

  GRPCInferenceServiceBlockingStub stub() {
    return calls.stub();
  }

  @Override
  public void close() {
    calls.refuse();
    places.close(); // while the server can still be told
    calls.close();
  }
}
