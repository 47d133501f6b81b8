package io.harmonica.runtime;

import com.google.protobuf.ByteString;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.proto.InferParameter;
import io.harmonica.runtime.proto.ModelInferRequest;
import io.harmonica.runtime.proto.ModelInferRequest.InferInputTensor;
import io.harmonica.runtime.proto.ModelInferRequest.InferRequestedOutputTensor;
import io.harmonica.runtime.proto.ModelInferResponse.InferOutputTensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiConsumer;

/**
 * One trajectory's way to a server on this host: every planned tensor has its place in a region of
 * shared memory, where the server reads and writes it. Messages only say where.
 *
 * <p>Calls count from 0, those that succeeded; a call that failed may be tried again. For one
 * thread at a time.
 */
final class SharedRuntime implements Runtime {
  private final TritonRuntime server;
  private final Layout layout;
  private final Regions regions;
  private final Region region;
  private final Map<Plan.Item, Tensor> placed = new HashMap<>(); // inputs whose bytes are there
  private int calls;
  private boolean reusable = true;
  private boolean closed;

  SharedRuntime(TritonRuntime server, Layout layout, Regions regions, Region region) {
    this.server = server;
    this.layout = layout;
    this.regions = regions;
    this.region = region;
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    if (closed) {
      throw new IllegalStateException("runtime is closed");
    }
    try {
      Map<String, Tensor> results = server.infer(model, inputs, outputs, new InPlace());
      calls++;
      return results;
    } catch (RuntimeException e) {
      reusable = false; // the server may still be writing what nobody waits for any more
      throw e;
    }
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
      regions.release(region, reusable);
    }
  }
}
