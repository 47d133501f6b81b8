package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.checkpoint.Half;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * What parameters and activations are held in, and what the linear maps of branches are multiplied
 * in; samples and predictions are always fp32.
 */
public enum Precision {
  FP32(Element.FP32, Maps.SAME),
  FP16(Element.FP16, Maps.SAME),

  /** The upper half of fp32, so with its range: what FLUX.1 and T5 were trained in. */
  BF16(Element.BF16, Maps.SAME),

  INT8(Element.FP32, Maps.INT8),
  INT8_FP16(Element.FP16, Maps.INT8),
  INT8_STATIC(Element.FP32, Maps.INT8_STATIC),
  INT8_STATIC_FP16(Element.FP16, Maps.INT8_STATIC),
  FP8(Element.FP32, Maps.FP8),
  FP8_FP16(Element.FP16, Maps.FP8),
  FP8_BF16(Element.BF16, Maps.FP8),
  INT4(Element.FP32, Maps.INT4),
  INT4_FP16(Element.FP16, Maps.INT4),
  INT4_BF16(Element.BF16, Maps.INT4);

  /** What the linear maps of branches are multiplied in; all else is of the {@link #element}. */
  public enum Maps {
    /** In the element. */
    SAME,

    /** 8 bits by 8 bits, each token with a scale of its own. */
    INT8,

    /** The same with scales known beforehand, where they can be. */
    INT8_STATIC,

    /** Floating-point numbers of 8 bits by such, with scales known beforehand. */
    FP8,

    /** Weights of 4 bits, which stand for numbers of the element, by these. */
    INT4;

    /** Whether products are of 8 bits by 8 bits. */
    public boolean areInt8() {
      return this == INT8 || this == INT8_STATIC;
    }

    /** Whether activations have to be observed before. */
    public boolean needRanges() {
      return this == INT8_STATIC || isTensorRtOnly();
    }

    /** Whether only TensorRT has kernels that gain by it. */
    public boolean isTensorRtOnly() {
      return this == FP8 || this == INT4;
    }
  }

  /** The largest finite number of {@link #FP16}. */
  static final float MAX_FP16 = 65504;

  private static final float LEAST_FP16 = 0x1p-24f; // a scale of 0 would divide by it

  private final Element element;
  private final Maps maps;

  Precision(Element element, Maps maps) {
    this.element = element;
    this.maps = maps;
  }

  /** Of parameters and activations, but for {@link #maps}. */
  public Element element() {
    return element;
  }

  /** What branches' linear maps are in. */
  public Maps maps() {
    return maps;
  }

  /** What becomes of a scale, that is a positive number, where it is kept. */
  public double held(double scale) {
    return switch (element) {
      case FP16 -> Math.max(LEAST_FP16, Half.toFloat(Half.fromFloat((float) scale)));
      case BF16 -> Half.bfloatToFloat(Half.bfloatFromFloat((float) scale));
      default -> scale;
    };
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
