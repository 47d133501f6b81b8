package io.harmonica.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.harmonica.repository.proto.DataType;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;

/** A value of ONNX Runtime in this process. */
record EmbeddedTensor(OnnxTensor value) implements Tensor {

  static EmbeddedTensor of(FloatBuffer values, long... shape) {
    try {
      return new EmbeddedTensor(OnnxTensor.createTensor(OnnxEnvironment.get(), values, shape));
    } catch (OrtException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  static EmbeddedTensor of(LongBuffer values, long... shape) {
    try {
      return new EmbeddedTensor(OnnxTensor.createTensor(OnnxEnvironment.get(), values, shape));
    } catch (OrtException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  /** The value, while open: ONNX Runtime takes the process down over a closed one. */
  @Override
  public OnnxTensor value() {
    if (value.isClosed()) {
      throw new IllegalStateException("tensor is closed");
    }
    return value;
  }

  @Override
  public DataType type() {
    return switch (value.getInfo().onnxType) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> DataType.TYPE_FP32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> DataType.TYPE_FP16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> DataType.TYPE_INT64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> DataType.TYPE_INT32;
      default -> DataType.TYPE_INVALID;
    };
  }

  @Override
  public long[] shape() {
    return value.getInfo().getShape();
  }

  @Override
  public FloatBuffer floats() {
    OnnxTensor open = value();
    if (type() != DataType.TYPE_FP32) {
      throw new IllegalStateException("tensor is " + type() + ", not TYPE_FP32");
    }
    return open.getFloatBuffer();
  }

  @Override
  public long sizeBytes() {
    return value.getInfo().getNumElements() * value.getInfo().type.size;
  }

  @Override
  public void close() {
    if (!value.isClosed()) {
      value.close();
    }
  }
}
