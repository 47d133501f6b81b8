package io.harmonica.onnx;

import io.harmonica.Element;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What parameters and activations are held in, and what the linear maps of branches are multiplied
 * in; samples and predictions are always fp32.
 */
public enum Precision {
  FP32(Element.FP32, false),
  FP16(Element.FP16, false),

  /** The upper half of fp32, so with its range: what FLUX.1 and T5 were trained in. */
  BF16(Element.BF16, false),

  /** Linear maps of branches multiply 8 bits by 8 bits; all else is fp32. */
  INT8(Element.FP32, true),

  /** The same with all else in fp16. */
  INT8_FP16(Element.FP16, true);

  /** The largest finite number of {@link #FP16}. */
  static final float MAX_FP16 = 65504;

  private final Element element;
  private final boolean int8;

  Precision(Element element, boolean int8) {
    this.element = element;
    this.int8 = int8;
  }

  /** Of parameters and activations, but for what {@link #isInt8} says. */
  public Element element() {
    return element;
  }

  /** Whether branches' linear maps are in 8 bits. */
  public boolean isInt8() {
    return int8;
  }

  /** As users name it: {@code fp32}, {@code int8-fp16}. */
  public String word() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** All words. */
  public static List<String> words() {
    return Arrays.stream(values()).map(Precision::word).toList();
  }

  /** That of a word. */
  public static Precision of(String word) {
    return valueOf(word.toUpperCase(Locale.ROOT).replace('-', '_'));
  }
}
