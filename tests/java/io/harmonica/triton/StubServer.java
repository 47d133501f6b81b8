package io.harmonica.triton;

import io.grpc.stub.StreamObserver;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.triton.proto.GRPCInferenceServiceGrpc.GRPCInferenceServiceImplBase;
import io.harmonica.triton.proto.ModelConfigRequest;
import io.harmonica.triton.proto.ModelConfigResponse;
import io.harmonica.triton.proto.ServerLiveRequest;
import io.harmonica.triton.proto.ServerLiveResponse;

/** A server that lives and has models, for what a real one cannot be made to do when it is told. */
abstract class StubServer extends GRPCInferenceServiceImplBase {

  abstract ModelConfig config(String model) throws InterruptedException;

  @Override
  public void serverLive(ServerLiveRequest request, StreamObserver<ServerLiveResponse> observer) {
    observer.onNext(ServerLiveResponse.newBuilder().setLive(true).build());
    observer.onCompleted();
  }

  @Override
  public void modelConfig(
      ModelConfigRequest request, StreamObserver<ModelConfigResponse> observer) {
    try {
      ModelConfig config = config(request.getName());
      observer.onNext(ModelConfigResponse.newBuilder().setConfig(config).build());
      observer.onCompleted();
    } catch (InterruptedException e) {
      observer.onError(e);
    }
  }
}
