package io.harmonica.runtime;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtException;
import io.harmonica.Element;
import java.nio.ByteBuffer;
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
  public Element type() {
    return switch (value.getInfo().onnxType) {
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT -> Element.FP32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT16 -> Element.FP16;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT64 -> Element.INT64;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_INT32 -> Element.INT32;
      case ONNX_TENSOR_ELEMENT_DATA_TYPE_UINT8 -> Element.UINT8;
      default -> Element.INVALID;
    };
  }

  @Override
  public long[] shape() {
    return value.getInfo().getShape();
  }

  @Override
  public FloatBuffer floats() {
    OnnxTensor open = value();
    if (type() != Element.FP32) {
      throw new IllegalStateException("tensor is " + type() + ", not FP32");
    }
    return open.getFloatBuffer();
  }

  @Override
  public ByteBuffer octets() {
    OnnxTensor open = value();
    if (type() != Element.UINT8) {
      throw new IllegalStateException("tensor is " + type() + ", not UINT8");
    }
    return open.getByteBuffer();
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
