package io.harmonica.compare;

import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * What a variant gave.
 *
 * @param turns one a round, in their order; fewer than there were rounds where it failed
 * @param fault why it ended early, where it did
 * @param decoded the pixels of its first pictures, where a decoder had to make them
 */
public record Measurement(
    String name, List<Turn> turns, Optional<String> fault, Optional<Latents> decoded) {
  /** Pictures that are decoded, and so judged: at 512 pixels one takes 3 MB, and seconds. */
  static final int MOST_DECODED = 64;

  public Measurement {
    turns = List.copyOf(turns);
  }

  /** One whose samples are pixels already. */
  public Measurement(String name, List<Turn> turns, Optional<String> fault) {
    this(name, turns, fault, Optional.empty());
  }

  /**
   * With its first pictures decoded, which takes none of the measured time. Where the decoder
   * fails, as on a server that is gone, the times stay.
   */
  Measurement decodedBy(UnaryOperator<Latents> decoder) {
    if (isEmpty()) {
      return this;
    }
    try {
      return new Measurement(name, turns, fault, Optional.of(decoder.apply(latents(MOST_DECODED))));
    } catch (HarmonicaException e) {
      String told = HarmonicaException.oneLine(e.getMessage());
      return new Measurement(name, turns, Optional.of(fault.orElse(told)), Optional.empty());
    }
  }

  /** Whether there are pixels to judge, and not latents that nobody decodes. */
  boolean hasPixels() {
    return !isEmpty() && (latents().channels() == 1 || latents().channels() == 3);
  }

  public boolean isEmpty() {
    return turns.isEmpty();
  }

  /** Times of the rounds, which pair with those of other variants. */
  public long[] timesNanos() {
    return turns.stream().mapToLong(Turn::timeNanos).toArray();
  }

  /** Latencies of all requests. */
  public long[] latenciesNanos() {
    return turns.stream().flatMapToLong(turn -> Arrays.stream(turn.latenciesNanos())).toArray();
  }

  public Optional<Latency> latency() {
    return isEmpty() ? Optional.empty() : Optional.of(Latency.of(latenciesNanos()));
  }

  /** Pictures a second, over the time that the variant had. */
  public double picturesPerSecond() {
    return pictures() * 1e9 / turns.stream().mapToLong(Turn::makespanNanos).sum();
  }

  /** Most bytes of cached branch outputs that one request held. */
  public long peakCacheBytes() {
    return samples().mapToLong(Variant.Sample::peakCacheBytes).max().orElse(0);
  }

  /** Bytes of requests and answers on the wire, for one picture. */
  public double wireBytesPerPicture() {
    return turns.stream().mapToLong(turn -> turn.spent().traffic().wireBytes()).sum()
        / (double) Math.max(1, pictures());
  }

  /** Calls whose share in where the time goes is missing: no server had counted them in time. */
  long uncounted() {
    return turns.stream().mapToLong(turn -> turn.spent().uncounted()).sum();
  }

  /** How much faster than A this variant is, over the rounds that both have. */
  public Optional<Speedup> speedupTo(Measurement a, long seed) {
    int rounds = Math.min(a.turns.size(), turns.size());
    return rounds == 0
        ? Optional.empty()
        : Optional.of(
            Speedup.of(
                Arrays.copyOf(a.timesNanos(), rounds), Arrays.copyOf(timesNanos(), rounds), seed));
  }

  /**
   * How close its pictures are to those of A, over the rounds that both have. Empty where there is
   * none, or the latents are not pictures.
   */
  public Optional<Quality> qualityTo(Measurement a) {
    if (!a.hasPixels() || !hasPixels() || !Quality.isDefinedFor(latents())) {
      return Optional.empty();
    }
    int pictures = Math.min(a.latents().count(), latents().count());
    return Optional.of(Quality.of(a.latents(pictures), latents(pictures)));
  }

  /** Of the model, for one picture; 0 where nothing was measured. */
  int passes() {
    return samples().mapToInt(Variant.Sample::passes).findFirst().orElse(0);
  }

  /** The pictures of all rounds, in their order; of decoded ones the first only. */
  public Latents latents() {
    return latents(Integer.MAX_VALUE);
  }

  /** The first pictures, in their order. */
  Latents latents(int most) {
    if (decoded.isPresent()) {
      return decoded.get().count() <= most ? decoded.get() : decoded.get().rows(0, most);
    }
    Latents first = turns.get(0).samples().get(0).latents();
    int count = Math.min(most, pictures());
    float[] values = new float[count * first.sampleSize()];
    int filled = 0;
    for (Variant.Sample sample : (Iterable<Variant.Sample>) samples()::iterator) {
      float[] some = sample.latents().values();
      int length = Math.min(some.length, values.length - filled);
      System.arraycopy(some, 0, values, filled, length);
      filled += length;
    }
    return new Latents(values, count, first.channels(), first.height(), first.width());
  }

  int pictures() {
    return samples().mapToInt(sample -> sample.latents().count()).sum();
  }

  Stream<Variant.Sample> samples() {
    return turns.stream().flatMap(turn -> turn.samples().stream());
  }
}
