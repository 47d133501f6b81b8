package io.harmonica.runtime;

import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.proto.GRPCInferenceServiceGrpc;
import io.harmonica.runtime.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import io.harmonica.runtime.proto.InferStatistics;
import io.harmonica.runtime.proto.ModelConfigRequest;
import io.harmonica.runtime.proto.ModelInferRequest;
import io.harmonica.runtime.proto.ModelInferResponse;
import io.harmonica.runtime.proto.ModelInferResponse.InferOutputTensor;
import io.harmonica.runtime.proto.ModelStatistics;
import io.harmonica.runtime.proto.ModelStatisticsRequest;
import io.harmonica.runtime.proto.RepositoryIndexRequest;
import io.harmonica.runtime.proto.RepositoryIndexResponse.ModelIndex;
import io.harmonica.runtime.proto.ServerLiveRequest;
import io.harmonica.runtime.proto.ServerMetadataRequest;
import io.harmonica.runtime.proto.ServerReadyRequest;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * Runs models on a Triton Inference Server over gRPC, without encryption.
 *
 * <p>Tensors travel in the messages as raw bytes; those of a {@link #trajectory} lie in memory
 * shared with the server where it runs on this host. A fault names the server, the model and the
 * remedy; {@link TritonFaults} has the words.
 */
public final class TritonRuntime implements Runtime {

  /**
   * How to talk to the server.
   *
   * @param deadline the longest that one call may take, 60 s by default
   * @param sharedMemory whether trajectories use it, {@link SharedMemory#AUTO} by default
   */
  public record Options(Duration deadline, SharedMemory sharedMemory) {
    public static final Options DEFAULTS = new Options(Duration.ofSeconds(60), SharedMemory.AUTO);

    public Options {
      if (deadline.isNegative() || deadline.isZero()) {
        throw new IllegalArgumentException("deadline is " + deadline + ", expected more than 0");
      }
    }

    public Options withDeadline(Duration other) {
      return new Options(other, sharedMemory);
    }

    public Options withSharedMemory(SharedMemory other) {
      return new Options(deadline, other);
    }
  }

  private static final int ROUND_TRIPS = 5;

  private final Address address;
  private final ManagedChannel channel;
  private final Options options;
  private final TritonFaults faults;
  // As last told, to spare each request a question; config() asks again, a fault forgets.
  private final Map<String, ModelConfig> configs = new ConcurrentHashMap<>();
  private final LongAdder sentBytes = new LongAdder();
  private final LongAdder receivedBytes = new LongAdder();
  private final LongAdder sharedBytes = new LongAdder();
  private final SharedPlaces places;
  private final AtomicLong roundTrip = new AtomicLong(); // nanoseconds; 0: not measured yet
  private volatile boolean closing;

  private TritonRuntime(Address address, Options options) {
    this.address = address;
    this.options = options;
    this.faults = new TritonFaults(address.toString(), options.deadline());
    this.channel =
        NettyChannelBuilder.forAddress(address.host(), address.port())
            .usePlaintext()
            .maxInboundMessageSize(Integer.MAX_VALUE)
            .build();
    this.places = new SharedPlaces(this, options.sharedMemory(), faults);
  }

  /** Connects to a server with {@link Options#DEFAULTS}. */
  public static TritonRuntime connect(String address) {
    return connect(address, Options.DEFAULTS);
  }

  /**
   * Connects to a server, and checks that it is there. Whether a model is ready shows when it is
   * asked for: somebody else's broken model keeps a server from being "ready" as a whole.
   *
   * @param address {@code HOST:PORT} of the server's gRPC service, such as {@code localhost:8001}
   */
  public static TritonRuntime connect(String address, Options options) {
    TritonRuntime runtime = new TritonRuntime(Address.parse(address).resolved(), options);
    try {
      runtime.checkLive();
      return runtime;
    } catch (RuntimeException e) {
      runtime.close();
      throw e;
    }
  }

  private void checkLive() {
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
    return infer(model, inputs, outputs, Carrier.WIRE);
  }

  Map<String, Tensor> infer(
      String model, Map<String, Tensor> inputs, Set<String> outputs, Carrier carrier) {
    ModelConfig known = configs.get(model);
    Signature.check(known != null ? known : config(model), inputs, outputs);
    ModelInferRequest message = carrier.request(model, inputs, outputs);
    ModelInferResponse response = call(model, stub -> stub.modelInfer(message));
    sentBytes.add(message.getSerializedSize());
    receivedBytes.add(response.getSerializedSize());
    return outputs(model, response, outputs, carrier);
  }

  /** In shared memory where it is possible and wanted, else over the wire. */
  @Override
  public Runtime trajectory(Supplier<Plan> plan) {
    requireOpen();
    return places.of(plan);
  }

  /** A tensor went through shared memory. */
  void countShared(long sizeBytes) {
    sharedBytes.add(sizeBytes);
  }

  private Map<String, Tensor> outputs(
      String model, ModelInferResponse response, Set<String> requested, Carrier carrier) {
    Map<String, Tensor> found = new HashMap<>();
    for (int i = 0;
        i < response.getRawOutputContentsCount();
        i++) { // empty for what went elsewhere
      InferOutputTensor output = response.getOutputs(i);
      if (requested.contains(output.getName())) {
        found.put(output.getName(), carrier.receive(output, response.getRawOutputContents(i)));
      }
    }
    if (!found.keySet().equals(requested)) {
      throw faults.lacksOutputs(model, requested, found.keySet());
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

  /** All models of the server, and this client's own bytes. */
  @Override
  public Statistics statistics() {
    Map<String, Statistics.Model> models = new HashMap<>();
    call("", stub -> stub.modelStatistics(ModelStatisticsRequest.getDefaultInstance()))
        .getModelStatsList()
        .forEach(model -> models.merge(model.getName(), times(model), Statistics.Model::plus));
    return new Statistics(models, sentBytes.sum(), receivedBytes.sum(), sharedBytes.sum());
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

  private static Statistics.Model times(ModelStatistics model) {
    InferStatistics stats = model.getInferenceStats();
    return new Statistics.Model(
        stats.getSuccess().getCount(),
        stats.getSuccess().getNs(),
        stats.getQueue().getNs(),
        stats.getComputeInput().getNs()
            + stats.getComputeInfer().getNs()
            + stats.getComputeOutput().getNs());
  }

  private void requireOpen() {
    if (closing || channel.isShutdown()) {
      throw new IllegalStateException("runtime is closed");
    }
  }

  private <T> T call(String model, Function<GRPCInferenceServiceBlockingStub, T> call) {
    requireOpen();
    try {
      return call.apply(stub());
    } catch (StatusRuntimeException e) {
      if (channel.isShutdown() && e.getStatus().getCode() == Status.Code.UNAVAILABLE) {
        throw new IllegalStateException("runtime is closed", e); // between the look above and now
      }
      configs.remove(model);
      throw faults.isAboutModel(e) ? withoutModel(e, model) : faults.ofCall(e, model);
    }
  }

  private HarmonicaException withoutModel(StatusRuntimeException e, String model) {
    List<ModelIndex> index = index();
    boolean listed = index.stream().anyMatch(entry -> entry.getName().equals(model));
    return listed || isReady() ? faults.noModel(e, model, index) : faults.notReady(index);
  }

  private boolean isReady() {
    try {
      return stub().serverReady(ServerReadyRequest.getDefaultInstance()).getReady();
    } catch (StatusRuntimeException e) {
      return false; // it only helps to word another fault
    }
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
    return GRPCInferenceServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(options.deadline().toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    closing = true;
    places.close(); // while the server can still be told
    channel.shutdown();
    try {
      if (!channel.awaitTermination(options.deadline().toNanos(), TimeUnit.NANOSECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
