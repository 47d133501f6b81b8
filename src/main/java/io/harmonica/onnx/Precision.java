package io.harmonica.onnx;

import io.harmonica.Element;

/** What parameters and activations are held in; samples and predictions are always fp32. */
public enum Precision {
  FP32,
  FP16;

  /** The largest finite number of {@link #FP16}. */
  static final float MAX_FP16 = 65504;

  public Element element() {
    return Element.valueOf(name());
  }
}
