package io.harmonica.triton;

import com.google.protobuf.ByteString;
import io.harmonica.runtime.Tensor;
import io.harmonica.triton.proto.ModelInferRequest;
import io.harmonica.triton.proto.ModelInferRequest.InferInputTensor;
import io.harmonica.triton.proto.ModelInferRequest.InferRequestedOutputTensor;
import io.harmonica.triton.proto.ModelInferResponse.InferOutputTensor;
import java.util.Map;

/** How the tensors of a request reach a Triton server, and its outputs come back. */
interface Carrier {
  /** In the messages, as raw bytes. */
  Carrier WIRE = new Carrier() {};

  /** Gives an input its values; name, type and shape are there. */
  default void bring(
      ModelInferRequest.Builder request, InferInputTensor.Builder input, Tensor tensor) {
    request.addInputs(input).addRawInputContents(bytes(input.getName(), tensor));
  }

  /** Says where an output goes; its name is there. */
  default void direct(InferRequestedOutputTensor.Builder output) {}

  /**
   * An output as it came back.
   *
   * @param raw its bytes in the message; empty where it went elsewhere
   */
  default Tensor receive(InferOutputTensor output, ByteString raw) {
    return new WireTensor(WireTensor.type(output.getDatatype()), shape(output), raw);
  }

  static long[] shape(InferOutputTensor output) {
    return output.getShapeList().stream().mapToLong(Long::longValue).toArray();
  }

  /** The bytes of a tensor of any Triton runtime, wherever they are. */
  static ByteString bytes(String input, Tensor tensor) {
    if (tensor instanceof WireTensor wire) {
      return wire.bytes();
    }
    if (tensor instanceof SharedTensor shared) {
      return shared.bytes();
    }
    throw new IllegalArgumentException("input '" + input + "' is a tensor of another runtime");
  }

  /** The request for some outputs of a model. */
  default ModelInferRequest request(
      String model, Map<String, Tensor> inputs, Iterable<String> outputs) {
    ModelInferRequest.Builder request = ModelInferRequest.newBuilder().setModelName(model);
    inputs.forEach(
        (name, tensor) -> {
          InferInputTensor.Builder input = InferInputTensor.newBuilder().setName(name);
          input.setDatatype(WireTensor.wireType(tensor.type()));
          for (long dim : tensor.shape()) {
            input.addShape(dim);
          }
          bring(request, input, tensor);
        });
    for (String name : outputs) {
      InferRequestedOutputTensor.Builder output =
          InferRequestedOutputTensor.newBuilder().setName(name);
      direct(output);
      request.addOutputs(output);
    }
    return request.build();
  }
}
