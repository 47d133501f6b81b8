package io.harmonica.model;

import io.harmonica.Element;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * The published U-ViTs (baofff/U-ViT {@code configs}), by data set and size. Guidance there is
 * {@code c + s (c - u)}, a scale of 1 + s here.
 */
public enum UVitPresets {
  IMAGENET256_H(Size.H, 2, 4, 32, new Shows.Classes(1000, true), UVitSchedule.DISCRETE, 1.4),
  IMAGENET512_H(Size.H, 4, 4, 64, new Shows.Classes(1000, true), UVitSchedule.DISCRETE, 1.7),
  IMAGENET256_L(Size.L, 2, 4, 32, new Shows.Classes(1000, true), UVitSchedule.CONTINUOUS, 1.4),
  IMAGENET512_L(Size.L, 4, 4, 64, new Shows.Classes(1000, true), UVitSchedule.CONTINUOUS, 1.7),
  IMAGENET64_L(Size.L, 4, 3, 64, new Shows.Classes(1000, false), UVitSchedule.CONTINUOUS, 1),
  IMAGENET64_M(Size.M, 4, 3, 64, new Shows.Classes(1000, false), UVitSchedule.CONTINUOUS, 1),
  MSCOCO(Size.S, 2, 4, 32, Shows.Text.ofClip(77, 768), UVitSchedule.DISCRETE, 2),
  MSCOCO_DEEP(Size.S_DEEP, 2, 4, 32, Shows.Text.ofClip(77, 768), UVitSchedule.DISCRETE, 2),
  CIFAR10(Size.S, 2, 3, 32, new Shows.Anything(), UVitSchedule.CONTINUOUS, 1),
  CELEBA64(Size.S, 4, 3, 64, new Shows.Anything(), UVitSchedule.CONTINUOUS, 1);

  private static final String FAMILY = "U-ViT-";

  /** A size by its name. */
  public enum Size {
    S("S", 12, 512, 8),
    S_DEEP("S-Deep", 16, 512, 8),
    M("M", 16, 768, 12),
    L("L", 20, 1024, 16),
    H("H", 28, 1152, 16);

    private final String word;
    private final int depth;
    private final int width;
    private final int heads;

    Size(String word, int depth, int width, int heads) {
      this.word = word;
      this.depth = depth;
      this.width = width;
      this.heads = heads;
    }

    /** The attention heads. */
    public int heads() {
      return heads;
    }

    public static Optional<Size> of(int depth, int width) {
      return Arrays.stream(values()).filter(s -> s.depth == depth && s.width == width).findFirst();
    }

    @Override
    public String toString() {
      return FAMILY + word;
    }
  }

  private final Size size;
  private final int patch;
  private final int channels;
  private final int side;
  private final Shows shows;
  private final UVitSchedule schedule;
  private final double guidance;

  UVitPresets(
      Size size,
      int patch,
      int channels,
      int side,
      Shows shows,
      UVitSchedule schedule,
      double guidance) {
    this.size = size;
    this.patch = patch;
    this.channels = channels;
    this.side = side;
    this.shows = shows;
    this.schedule = schedule;
    this.guidance = guidance;
  }

  /** What it is told of a picture. */
  public Shows shows() {
    return shows;
  }

  /** The noise schedule that it was trained on. */
  public UVitSchedule schedule() {
    return schedule;
  }

  /** The scale of guidance that it is drawn with. */
  public double guidance() {
    return guidance;
  }

  /** The largest have no last convolution. */
  boolean convolution() {
    return size != Size.H;
  }

  /** {@code U-ViT-H/2} for a published size, else {@code U-ViT-<depth>x<width>/<patch>}. */
  public static String name(int depth, int width, int patch) {
    return Size.of(depth, width).map(Size::toString).orElse(FAMILY + depth + "x" + width)
        + "/"
        + patch;
  }

  private String architecture() {
    return size + "/" + patch;
  }

  /**
   * The published one of this structure.
   *
   * @param samples that it denoises
   * @param convolution whether it ends with one
   * @param labels rows of the label table; 0 where there is none
   */
  public static Optional<UVitPresets> of(
      String architecture, Samples samples, boolean convolution, Shows shows, int labels) {
    return Arrays.stream(values())
        .filter(p -> p.architecture().equals(architecture) && p.convolution() == convolution)
        .filter(p -> p.channels == samples.channels() && p.side == samples.height())
        .filter(p -> p.shows.getClass() == shows.getClass() && p.labels() == labels)
        .findFirst();
  }

  private int labels() {
    return shows instanceof Shows.Classes classes
        ? classes.count() + (classes.nullClass() ? 1 : 0)
        : 0;
  }

  /** The structures that have names. */
  static List<String> names() {
    return Arrays.stream(values()).map(UVitPresets::architecture).distinct().toList();
  }

  /** The structure that {@code U-ViT-H/2} names, of several the first. */
  public static Optional<UVit> named(String architecture) {
    return Arrays.stream(values())
        .filter(preset -> preset.architecture().equals(architecture))
        .findFirst()
        .map(UVitPresets::model);
  }

  private UVit model() {
    Samples samples =
        new Samples(
            channels, channels, side, side, Denoiser.Interface.usualPixelsPerElement(channels));
    return new UVit(
        size.width,
        size.heads,
        size.depth,
        patch,
        4 * size.width,
        labels(),
        new UVit.Parts(false, false, convolution()),
        new Denoiser.Interface(
            samples,
            Element.FP32,
            shows,
            schedule.origin(channels, shows, OptionalDouble.of(guidance))));
  }
}
