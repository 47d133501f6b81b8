package io.harmonica.triton;

import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.ManagedChannel;
import io.grpc.MethodDescriptor;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCalls;
import io.grpc.stub.StreamObserver;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceBlockingStub;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import java.util.function.Function;

/**
 * The channel to one server: calls that a thread waits for, and calls that none does. A status
 * other than OK becomes the fault that its owner words.
 */
final class GrpcCalls implements AutoCloseable {
  private final ManagedChannel channel;
  private final Duration deadline;
  private final BiFunction<StatusRuntimeException, String, RuntimeException> faults;
  private volatile boolean closing;

  /**
   * Takes over a channel.
   *
   * @param deadline of a call that names no other, and of closing
   * @param faults what a status says of a call about a model ("" for none)
   */
  GrpcCalls(
      ManagedChannel channel,
      Duration deadline,
      BiFunction<StatusRuntimeException, String, RuntimeException> faults) {
    this.channel = channel;
    this.deadline = deadline;
    this.faults = faults;
  }

  void requireOpen() {
    if (closing || channel.isShutdown()) {
      throw new IllegalStateException("runtime is closed");
    }
  }

  /** The generated calls, whose faults are gRPC's own. */
  GRPCInferenceServiceBlockingStub stub() {
    return GRPCInferenceServiceGrpc.newBlockingStub(channel)
        .withDeadlineAfter(deadline.toNanos(), TimeUnit.NANOSECONDS);
  }

  /** Makes a call and waits for it. */
  <T> T call(String model, Function<GRPCInferenceServiceBlockingStub, T> call) {
    requireOpen();
    try {
      return call.apply(stub());
    } catch (StatusRuntimeException e) {
      throw fault(e, model);
    }
  }

  /** Makes a call that no thread waits for; cancelling the future cancels it on the server too. */
  <Q, A> CompletableFuture<A> send(
      MethodDescriptor<Q, A> method, Q request, String model, Duration limit) {
    requireOpen();
    ClientCall<Q, A> call =
        channel.newCall(
            method, CallOptions.DEFAULT.withDeadlineAfter(limit.toNanos(), TimeUnit.NANOSECONDS));
    CompletableFuture<A> answer = new CompletableFuture<>();
    answer.whenComplete(
        (done, fault) -> {
          if (answer.isCancelled()) {
            call.cancel("no longer wanted", null);
          }
        });
    ClientCalls.asyncUnaryCall(
        call,
        request,
        new StreamObserver<>() {
          @Override
          public void onNext(A value) {
            answer.complete(value);
          }

          @Override
          public void onError(Throwable fault) {
            if (!answer.isDone()) {
              answer.completeExceptionally(
                  fault(Status.fromThrowable(fault).asRuntimeException(), model));
            }
          }

          @Override
          public void onCompleted() {}
        });
    return answer;
  }

  private RuntimeException fault(StatusRuntimeException e, String model) {
    return channel.isShutdown() && e.getStatus().getCode() == Status.Code.UNAVAILABLE
        ? new IllegalStateException("runtime is closed", e) // closed while the call began
        : faults.apply(e, model);
  }

  /** No call begins from now on; those under way go on until {@link #close}. */
  void refuse() {
    closing = true;
  }

  @Override
  public void close() {
    refuse();
    channel.shutdown();
    try {
      if (!channel.awaitTermination(deadline.toNanos(), TimeUnit.NANOSECONDS)) {
        channel.shutdownNow();
      }
    } catch (InterruptedException e) {
      channel.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }
}
