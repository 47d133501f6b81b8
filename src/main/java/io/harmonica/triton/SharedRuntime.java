package io.harmonica.triton;

import com.google.protobuf.ByteString;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Tensor;
import io.harmonica.runtime.Traffic;
import io.harmonica.triton.proto.InferParameter;
import io.harmonica.triton.proto.ModelInferRequest;
import io.harmonica.triton.proto.ModelInferRequest.InferInputTensor;
import io.harmonica.triton.proto.ModelInferRequest.InferRequestedOutputTensor;
import io.harmonica.triton.proto.ModelInferResponse.InferOutputTensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
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
 * <p>Calls count as in the plan, those that succeeded. After one that failed, or was cancelled, the
 * server may yet write what nobody waits for: whoever tries again does so in another region, and
 * reads this one's tensors until then, as the memory is this process's own. One call at a time.
 */
final class SharedRuntime implements Runtime {
  private final TritonRuntime server;
  private final Layout layout;
  private final Regions regions;
  private final Region region;
  private final Map<Plan.Item, Tensor> placed = new HashMap<>(); // inputs whose bytes are there
  private volatile int calls;
  private volatile boolean open; // a call that has not succeeded
  private volatile boolean closed;

  SharedRuntime(TritonRuntime server, Layout layout, int calls, Regions regions, Region region) {
    this.server = server;
    this.layout = layout;
    this.calls = calls;
    this.regions = regions;
    this.region = region;
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    begin();
    return landed(server.infer(model, inputs, outputs, new InPlace()));
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> inferAsync(
      String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return inferAsync(model, inputs, outputs, server.deadline());
  }

  /** The same with a deadline of its own. */
  CompletableFuture<Map<String, Tensor>> inferAsync(
      String model, Map<String, Tensor> inputs, Set<String> outputs, Duration deadline) {
    begin();
    return Chain.then(
        server.inferAsync(model, inputs, outputs, new InPlace(), deadline),
        results -> CompletableFuture.completedFuture(landed(results)));
  }

  private void begin() {
    if (closed) {
      throw new IllegalStateException("runtime is closed");
    }
    open = true;
  }

  private Map<String, Tensor> landed(Map<String, Tensor> results) {
    calls = calls + 1;
    open = false;
    return results;
  }

  /** The tensors of one call: planned ones in the region, others in the messages. */
  private final class InPlace implements Carrier {
    private final Map<String, Plan.Item> directed = new HashMap<>();

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
                .find(input.getName(), calls)
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
          .find(output.getName(), calls)
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
      DataType type = WireTensor.type(output.getDatatype());
      long size = Plan.sizeBytes(type, output.getShapeList(), 1).orElseThrow();
      server.countShared(size);
      return new SharedTensor(type, Carrier.shape(output), region, layout.offset(item), size);
    }
  }

  @Override
  public ModelConfig config(String model) {
    return server.config(model);
  }

  /** Gets its place with the call that it is an input of. */
  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return server.tensor(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return server.tensor(values, shape);
  }

  @Override
  public String description() {
    return server.description();
  }

  @Override
  public Statistics statistics() {
    return server.statistics();
  }

  @Override
  public Traffic traffic() {
    return server.traffic();
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
