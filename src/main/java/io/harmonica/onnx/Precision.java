package io.harmonica.onnx;

import ai.onnx.proto.OnnxMl.TensorProto.DataType;

/** What parameters and activations are held in; samples and predictions are always fp32. */
public enum Precision {
  FP32(DataType.FLOAT, 4),
  FP16(DataType.FLOAT16, 2);

  /** The largest finite number of {@link #FP16}. */
  static final float MAX_FP16 = 65504;

  final DataType type;
  private final int sizeBytes;

  Precision(DataType type, int sizeBytes) {
    this.type = type;
    this.sizeBytes = sizeBytes;
  }

  public int sizeBytes() {
    return sizeBytes;
  }
}
