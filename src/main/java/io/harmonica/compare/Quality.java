package io.harmonica.compare;

import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How close pictures are to reference pictures, measured on brightness 0..1, clamped but not
 * rounded to 8 bits.
 *
 * @param psnrDecibels per picture {@code -10 log10(MSE)}, the mean over all its values, peak 1;
 *     infinite for an identical picture
 * @param ssim per picture, 1 for an identical one; see {@link Ssim}
 */
public record Quality(List<Double> psnrDecibels, List<Double> ssim) {
  public Quality {
    psnrDecibels = List.copyOf(psnrDecibels);
    ssim = List.copyOf(ssim);
  }

  /** Compares pictures pairwise; the latents must be pixels and of one shape. */
  public static Quality of(Latents reference, Latents latents) {
    Pictures.requirePixels(reference);
    if (!shape(reference).equals(shape(latents))) {
      throw new IllegalArgumentException(
          "pictures %s do not pair with the reference's %s"
              .formatted(shape(latents), shape(reference)));
    }
    List<Double> psnr = new ArrayList<>();
    List<Double> ssim = new ArrayList<>();
    for (int i = 0; i < reference.count(); i++) {
      double[] x = brightness(reference, i);
      double[] y = brightness(latents, i);
      psnr.add(psnr(x, y));
      ssim.add(Ssim.of(x, y, reference.channels(), reference.height(), reference.width()));
    }
    return new Quality(psnr, ssim);
  }

  /** Whether latents are pictures, and large enough for SSIM's window. */
  static boolean isDefinedFor(Latents latents) {
    return (latents.channels() == 1 || latents.channels() == 3)
        && latents.height() >= Ssim.WINDOW
        && latents.width() >= Ssim.WINDOW;
  }

  public boolean identical() {
    return Double.isInfinite(meanPsnrDecibels());
  }

  /** The mean of the pictures' PSNR, not the PSNR of their mean error; infinite if any is. */
  public double meanPsnrDecibels() {
    return mean(psnrDecibels);
  }

  public double meanSsim() {
    return mean(ssim);
  }

  private static double psnr(double[] x, double[] y) {
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      sum += (x[i] - y[i]) * (x[i] - y[i]);
    }
    return sum == 0 ? Double.POSITIVE_INFINITY : -10 * Math.log10(sum / x.length);
  }

  private static double[] brightness(Latents latents, int picture) {
    double[] values = new double[latents.sampleSize()];
    for (int i = 0; i < values.length; i++) {
      float value = latents.values()[picture * values.length + i];
      if (Float.isNaN(value)) {
        throw new HarmonicaException(
            "sample %d holds NaN, so it cannot be compared; check the checkpoint and its precision"
                .formatted(picture));
      }
      values[i] = Pictures.brightness(value);
    }
    return values;
  }

  private static List<Integer> shape(Latents latents) {
    return Arrays.asList(latents.count(), latents.channels(), latents.height(), latents.width());
  }

  private static double mean(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
  }
}
