package io.harmonica.compare;

import io.harmonica.features.Estimate;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** A number that is known of a variant, by the name that it has in JSON and in gates. */
record Field(ToDoubleFunction<Report.Entry> value) {
  /** In the order of JSON. */
  static final Map<String, Field> ALL;

  static {
    Map<String, Field> all = new LinkedHashMap<>();
    put(all, "latencyMillis.p50", e -> latency(e).map(Latency::p50Millis));
    put(all, "latencyMillis.p90", e -> latency(e).map(Latency::p90Millis));
    put(all, "latencyMillis.p99", e -> latency(e).map(Latency::p99Millis));
    put(all, "picturesPerSecond", e -> latency(e).map(l -> e.measurement().picturesPerSecond()));
    put(all, "speedup.value", e -> e.speedup().map(Speedup::value));
    put(all, "speedup.low", e -> e.speedup().map(Speedup::low));
    put(all, "speedup.high", e -> e.speedup().map(Speedup::high));
    put(all, "speedup.least", e -> e.speedup().map(Speedup::least));
    put(all, "speedup.most", e -> e.speedup().map(Speedup::most));
    put(all, "theoreticalSpeedup", e -> Optional.of(e.theoreticalSpeedup()));
    put(all, "realised", e -> Optional.of(e.realised()));
    put(all, "cur", e -> Optional.of(e.cur()));
    put(all, "peakCacheBytes", e -> latency(e).map(l -> (double) e.measurement().peakCacheBytes()));
    put(
        all,
        "wireBytesPerPicture",
        e -> latency(e).map(l -> e.measurement().wireBytesPerPicture()));
    put(all, "psnr", e -> e.quality().map(Quality::meanPsnrDecibels));
    put(all, "ssim", e -> e.quality().map(Quality::meanSsim));
    put(all, "frechet.value", e -> e.judgement().map(j -> j.frechet().value()));
    put(all, "frechet.low", e -> e.judgement().map(j -> j.frechet().low()));
    put(all, "frechet.high", e -> e.judgement().map(j -> j.frechet().high()));
    put(all, "accuracy.value", e -> accuracy(e).map(Estimate::value));
    put(all, "accuracy.low", e -> accuracy(e).map(Estimate::low));
    put(all, "accuracy.high", e -> accuracy(e).map(Estimate::high));
    ALL = Collections.unmodifiableMap(all);
  }

  /** NaN where it is not known; infinite only for the PSNR of identical pictures. */
  double of(Report.Entry entry) {
    return value.applyAsDouble(entry);
  }

  private static void put(
      Map<String, Field> all, String name, Function<Report.Entry, Optional<Double>> value) {
    all.put(name, new Field(entry -> value.apply(entry).orElse(Double.NaN)));
  }

  /** Whether it takes a network that judges pictures. */
  static boolean needsFeatures(String name) {
    return name.startsWith("frechet.") || name.startsWith("accuracy.");
  }

  private static Optional<Estimate> accuracy(Report.Entry entry) {
    return entry.judgement().flatMap(Judge.Judgement::accuracy);
  }

  private static Optional<Latency> latency(Report.Entry entry) {
    return entry.measurement().latency();
  }
}
