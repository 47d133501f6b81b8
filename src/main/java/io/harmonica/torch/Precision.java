package io.harmonica.torch;

/** What parameters and activations are held in; samples, predictions and losses are fp32. */
public enum Precision {
  FP32,
  BF16
}
