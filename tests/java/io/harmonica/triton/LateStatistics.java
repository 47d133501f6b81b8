package io.harmonica.triton;

import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import io.harmonica.triton.proto.ModelConfigRequest;
import io.harmonica.triton.proto.ModelConfigResponse;
import io.harmonica.triton.proto.ModelInferRequest;
import io.harmonica.triton.proto.ModelInferResponse;
import io.harmonica.triton.proto.ModelStatistics;
import io.harmonica.triton.proto.ModelStatisticsRequest;
import io.harmonica.triton.proto.ModelStatisticsResponse;
import io.harmonica.triton.proto.ServerLiveRequest;
import io.harmonica.triton.proto.ServerLiveResponse;
import java.io.IOException;

/**
 * Stands before a real server and passes on what that says, but its statistics late: after the
 * first inference, some questions get the answer of before it.
 */
final class LateStatistics extends GRPCInferenceServiceImplBase implements AutoCloseable {

  /** What is late. */
  enum What {
    ALL,
    /** Requests are there, the executions of engines are not. */
    EXECUTIONS
  }

  private final ManagedChannel channel;
  private final GRPCInferenceServiceBlockingStub real;
  private final What what;
  private final Server server;
  private ModelStatisticsResponse before;
  private int lateAnswers;

  private LateStatistics(String address, What what, int lateAnswers) throws IOException {
    channel = ManagedChannelBuilder.forTarget(address).usePlaintext().build();
    real = GRPCInferenceServiceGrpc.newBlockingStub(channel);
    this.what = what;
    this.lateAnswers = lateAnswers;
    server = NettyServerBuilder.forPort(0).addService(this).build().start();
  }

  static LateStatistics of(String address, What what, int lateAnswers) throws IOException {
    return new LateStatistics(address, what, lateAnswers);
  }

  String address() {
    return "localhost:" + server.getPort();
  }

  /** Questions that will still get an old answer. */
  synchronized int lateAnswers() {
    return lateAnswers;
  }

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> observer) {
    answer(real.serverLive(request), observer);
  }

  @Override
  public void modelConfig(
      ModelConfigRequest request, StreamObserver<ModelConfigResponse> observer) {
    answer(real.modelConfig(request), observer);
  }

  @Override
  public void modelInfer(ModelInferRequest request, StreamObserver<ModelInferResponse> observer) {
    synchronized (this) {
      if (before == null) {
        before = real.modelStatistics(ModelStatisticsRequest.getDefaultInstance());
      }
    }
    answer(real.modelInfer(request), observer);
  }

  @Override
  public synchronized void modelStatistics(
      ModelStatisticsRequest request, StreamObserver<ModelStatisticsResponse> observer) {
    ModelStatisticsResponse now = real.modelStatistics(request);
    boolean late = before != null && lateAnswers-- > 0;
    answer(!late ? now : what == What.ALL ? before : withoutExecutions(now), observer);
  }

  private ModelStatisticsResponse withoutExecutions(ModelStatisticsResponse now) {
    ModelStatisticsResponse.Builder mixed = ModelStatisticsResponse.newBuilder();
    for (int i = 0; i < now.getModelStatsCount(); i++) {
      ModelStatistics earlier = before.getModelStats(i);
      mixed.addModelStats(
          now.getModelStats(i).toBuilder()
              .setExecutionCount(earlier.getExecutionCount())
              .clearBatchStats()
              .addAllBatchStats(earlier.getBatchStatsList()));
    }
    return mixed.build();
  }

  private static <T> void answer(T value, StreamObserver<T> observer) {
    observer.onNext(value);
    observer.onCompleted();
  }

  @Override
  public void close() {
    server.shutdownNow();
    channel.shutdownNow();
  }
}
