package io.harmonica.compare;

import java.awt.image.BufferedImage;
import java.util.List;
import java.util.Optional;

/** Reports for tests, with plausible numbers. */
final class Reports {
  private Reports() {}

  static Report of(Report.Entry... entries) {
    return new Report(
        "Cached branches",
        "40 pictures, 20 steps",
        List.of(entries),
        5,
        new Machine("Some CPU", 2, 8L << 30, "Linux 6.1", "17.0.15", "ONNX Runtime 1.23.2"),
        "bin/harmonica demo");
  }

  static Report.Entry reference() {
    return entry("none", 0, 1, 1, Double.POSITIVE_INFINITY);
  }

  static Report.Entry entry(
      String name, double cur, double theoretical, double speedup, double psnr) {
    return new Report.Entry(
        name,
        "does " + name,
        cur,
        theoretical,
        new Latency(800 / speedup, 810 / speedup, 812.34567 / speedup),
        new Speedup(speedup, speedup - 0.03, speedup + 0.02, speedup - 0.1, speedup + 0.1),
        psnr,
        0.95,
        Optional.of(new BufferedImage(20, 10, BufferedImage.TYPE_INT_ARGB)),
        Optional.empty());
  }
}
