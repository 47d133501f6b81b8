package io.harmonica.triton;

import com.google.protobuf.ByteString;
import io.harmonica.Element;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Tensor;
import io.harmonica.triton.proto.InferParameter;
import io.harmonica.triton.proto.ModelInferRequest;
import io.harmonica.triton.proto.ModelInferRequest.InferInputTensor;
import io.harmonica.triton.proto.ModelInferRequest.InferRequestedOutputTensor;
import io.harmonica.triton.proto.ModelInferResponse.InferOutputTensor;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;

/**
 * One trajectory's way to a server on this host: every planned tensor has its place in a region of
 * shared memory, where the server reads and writes it. Messages only say where.
 *
 * <p>After a call that failed, or was cancelled, the server may yet write what nobody waits for:
 * whoever tries again does so in another region, and reads this one's tensors until then, as the
 * memory is this process's own. One call at a time.
 */
final class SharedSession implements Session {
  private final TritonRuntime server;
  private final Layout layout;
  private final Regions regions;
  private final Region region;
  private final Map<Plan.Item, Tensor> placed = new HashMap<>(); // inputs whose bytes are there
  private volatile boolean open; // a call that has not succeeded
  private volatile boolean closed;

  SharedSession(TritonRuntime server, Layout layout, Regions regions, Region region) {
    this.server = server;
    this.layout = layout;
    this.regions = regions;
    this.region = region;
  }

  @Override
  public Map<String, Tensor> infer(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return server.await(inferAsync(call, model, inputs, outputs), model);
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> inferAsync(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return inferAsync(call, model, inputs, outputs, server.deadline());
  }

  /** The same with a deadline of its own. */
  CompletableFuture<Map<String, Tensor>> inferAsync(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs, Duration deadline) {
    begin();
    return Chain.then(
        server.inferAsync(model, inputs, outputs, new InPlace(call), deadline),
        results -> CompletableFuture.completedFuture(landed(results)));
  }

  private void begin() {
    if (closed) {
      throw new IllegalStateException("runtime is closed");
    }
    open = true;
  }

  private Map<String, Tensor> landed(Map<String, Tensor> results) {
    open = false;
    return results;
  }

  /** The tensors of one call: planned ones in the region, others in the messages. */
  private final class InPlace implements Carrier {
    private final int call;
    private final Map<String, Plan.Item> directed = new HashMap<>();

    InPlace(int call) {
      this.call = call;
    }

    @Override
    public void bring(
        ModelInferRequest.Builder request, InferInputTensor.Builder input, Tensor tensor) {
      long offset;
      if (tensor instanceof SharedTensor shared && shared.region() == region) {
        offset = shared.offset();
      } else {
        ByteString bytes = Carrier.bytes(input.getName(), tensor);
        Optional<Plan.Item> item =
            layout
                .find(input.getName(), call)
                .filter(planned -> planned.sizeBytes() >= bytes.size());
        if (item.isEmpty()) {
          Carrier.super.bring(request, input, tensor);
          return;
        }
        offset = layout.offset(item.get());
        if (placed.put(item.get(), tensor) != tensor) {
          bytes.copyTo(region.view(offset, bytes.size()));
        }
      }
      point(input::putParameters, offset, tensor.sizeBytes());
      request.addInputs(input);
      server.countShared(tensor.sizeBytes());
    }

    @Override
    public void direct(InferRequestedOutputTensor.Builder output) {
      layout
          .find(output.getName(), call)
          .ifPresent(
              item -> {
                directed.put(item.name(), item);
                point(output::putParameters, layout.offset(item), item.sizeBytes());
              });
    }

    private void point(BiConsumer<String, InferParameter> parameters, long offset, long sizeBytes) {
      parameters.accept(
          "shared_memory_region",
          InferParameter.newBuilder().setStringParam(region.name()).build());
      parameters.accept(
          "shared_memory_offset", InferParameter.newBuilder().setInt64Param(offset).build());
      parameters.accept(
          "shared_memory_byte_size", InferParameter.newBuilder().setInt64Param(sizeBytes).build());
    }

    @Override
    public Tensor receive(InferOutputTensor output, ByteString raw) {
      Plan.Item item = directed.get(output.getName());
      if (item == null) {
        return Carrier.super.receive(output, raw);
      }
      Element type = WireTensor.type(output.getDatatype());
      long[] shape = Carrier.shape(output);
      long size = type.bytes(Arrays.stream(shape).reduce(1, Math::multiplyExact));
      server.countShared(size);
      return new SharedTensor(type, shape, region, layout.offset(item), size);
    }
  }

  /** Ends the trajectory: its tensors' places are another's from now on. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      regions.release(region, !open);
    }
  }
}
