package io.harmonica.compare;

import io.harmonica.generate.Latents;
import java.util.List;

/**
 * What a variant gave.
 *
 * @param runs one a round, in their order
 */
public record Measurement(String name, List<Variant.Run> runs) {
  public Measurement {
    runs = List.copyOf(runs);
    if (runs.isEmpty()) {
      throw new IllegalArgumentException("a measurement needs at least one run: " + name);
    }
  }

  public long[] latenciesNanos() {
    return runs.stream().mapToLong(Variant.Run::latencyNanos).toArray();
  }

  public Latency latency() {
    return Latency.of(latenciesNanos());
  }

  /** How much faster than A this variant is, round against round. */
  public Speedup speedupTo(Measurement a, long seed) {
    return Speedup.of(a.latenciesNanos(), latenciesNanos(), seed);
  }

  /** How close its samples are to those of A. */
  public Quality qualityTo(Measurement a) {
    return Quality.of(a.latents(), latents());
  }

  /** The samples of all rounds, in their order. */
  public Latents latents() {
    Latents first = runs.get(0).latents();
    int count = runs.stream().mapToInt(run -> run.latents().count()).sum();
    float[] values = new float[count * first.sampleSize()];
    int filled = 0;
    for (Variant.Run run : runs) {
      float[] some = run.latents().values();
      System.arraycopy(some, 0, values, filled, some.length);
      filled += some.length;
    }
    return new Latents(values, count, first.channels(), first.height(), first.width());
  }
}
