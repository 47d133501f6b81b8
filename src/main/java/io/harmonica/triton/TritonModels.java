package io.harmonica.triton;

import com.google.protobuf.ByteString;
import io.grpc.StatusRuntimeException;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.triton.proto.ModelRepositoryParameter;
import io.harmonica.triton.proto.ModelStatisticsRequest;
import io.harmonica.triton.proto.RepositoryIndexRequest;
import io.harmonica.triton.proto.RepositoryModelLoadRequest;
import io.harmonica.triton.proto.RepositoryModelUnloadRequest;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** The repository API over gRPC. */
record TritonModels(TritonRuntime runtime) implements ModelControl {
  /** Triton's index leaves out models that were loaded without files; its statistics have them. */
  @Override
  public List<Entry> index() {
    Set<Entry> entries = new LinkedHashSet<>();
    runtime
        .call("", stub -> stub.repositoryIndex(RepositoryIndexRequest.getDefaultInstance()))
        .getModelsList()
        .forEach(
            m -> entries.add(new Entry(m.getName(), m.getVersion(), m.getState(), m.getReason())));
    runtime
        .call("", stub -> stub.modelStatistics(ModelStatisticsRequest.getDefaultInstance()))
        .getModelStatsList()
        .forEach(m -> entries.add(new Entry(m.getName(), m.getVersion(), "READY", "")));
    return List.copyOf(entries);
  }

  @Override
  public void load(String model) {
    load(RepositoryModelLoadRequest.newBuilder().setModelName(model));
  }

  @Override
  public void load(ModelConfig config) {
    load(config, NO_FILES);
  }

  @Override
  public void load(ModelConfig config, byte[] onnx) {
    load(config, Map.of(ENGINE_FILE, ByteString.copyFrom(onnx)));
  }

  private void load(ModelConfig config, Map<String, ByteString> files) {
    RepositoryModelLoadRequest.Builder request =
        RepositoryModelLoadRequest.newBuilder()
            .setModelName(config.getName())
            .putParameters(
                "config",
                ModelRepositoryParameter.newBuilder()
                    .setStringParam(ProtoJson.of(config).toString())
                    .build());
    files.forEach(
        (file, content) ->
            request.putParameters(
                file, ModelRepositoryParameter.newBuilder().setBytesParam(content).build()));
    load(request);
  }

  private void load(RepositoryModelLoadRequest.Builder request) {
    try {
      runtime.call(request.getModelName(), stub -> stub.repositoryModelLoad(request.build()));
    } catch (HarmonicaException e) {
      throw explained(e);
    }
  }

  @Override
  public void unload(String model) {
    RepositoryModelUnloadRequest request =
        RepositoryModelUnloadRequest.newBuilder().setModelName(model).build();
    try {
      runtime.call(model, stub -> stub.repositoryModelUnload(request));
    } catch (HarmonicaException e) {
      throw explained(e);
    }
  }

  private HarmonicaException explained(HarmonicaException fault) {
    if (fault.getCause() instanceof StatusRuntimeException cause
        && String.valueOf(cause.getStatus().getDescription())
            .contains("load / unload is not allowed")) {
      return new HarmonicaException(
          "Triton server %s does not load models on request: start it with --model-control-mode=explicit"
              .formatted(runtime.address()),
          cause);
    }
    return fault;
  }
}
