package io.harmonica.compare;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Runs variants interleaved: every round runs each of them once, in an order drawn anew, so that a
 * machine that slows down or warms up touches all of them alike, and their times pair by round.
 *
 * @param count rounds that count
 * @param warmUp rounds before them whose results are dropped
 * @param load how a round's requests are sent
 * @param seed of the orders, and of an open loop's arrivals
 */
public record Rounds(int count, WarmUp warmUp, Load load, long seed) {
  public Rounds {
    if (count < 1) {
      throw new InvalidProperty("rounds", "%d must be at least 1".formatted(count));
    }
  }

  /** Follows nothing. */
  public static final Listener SILENT = new Listener() {};

  /** Follows the rounds. */
  public interface Listener {
    /** A turn begins. */
    default void onTurn(String variant, int round, boolean warmUp) {}

    /** A variant that failed is left out from now on. */
    default void onFault(String variant, int round, String fault) {}
  }

  /**
   * Runs the variants. One that fails once its warm-up is over keeps the rounds that it has done,
   * and the others go on without it, as long as there are two.
   *
   * @param stop true ends the run, with what has been measured
   * @throws HarmonicaException if a variant fails while it warms up: nothing is measured then
   */
  public Outcome run(List<? extends Variant> variants, Listener listener, BooleanSupplier stop) {
    return run(variants, listener, stop, Sender.SYSTEM);
  }

  Outcome run(
      List<? extends Variant> variants,
      Listener listener,
      BooleanSupplier stop,
      Sender.Clock clock) {
    if (variants.stream().map(Variant::name).distinct().count() != variants.size()) {
      throw new IllegalArgumentException(
          "variants need distinct names: " + variants.stream().map(Variant::name).toList());
    }
    try (Sender sender = new Sender(load, seed, clock)) {
      return new Running(variants, listener, stop, sender, clock).run();
    }
  }

  private final class Running {
    private final List<? extends Variant> variants;
    private final Listener listener;
    private final BooleanSupplier stop;
    private final Sender sender;
    private final Sender.Clock clock;
    private final Random random = new Random(seed);
    private final List<List<Turn>> turns = new ArrayList<>();
    private final String[] faults;
    private int warmUps;
    private boolean stable;

    Running(
        List<? extends Variant> variants,
        Listener listener,
        BooleanSupplier stop,
        Sender sender,
        Sender.Clock clock) {
      this.variants = variants;
      this.listener = listener;
      this.stop = stop;
      this.sender = sender;
      this.clock = clock;
      variants.forEach(variant -> turns.add(new ArrayList<>()));
      faults = new String[variants.size()];
    }

    Outcome run() {
      long start = clock.nanos();
      boolean interrupted = false;
      try {
        warmUp();
        start = clock.nanos();
        for (int round = 0; round < count && alive() >= Math.min(2, faults.length); round++) {
          round(round);
        }
      } catch (CancellationException e) {
        interrupted = true;
      }
      long wall = clock.nanos() - start;
      List<Measurement> measurements =
          IntStream.range(0, variants.size())
              .mapToObj(
                  i ->
                      new Measurement(
                          variants.get(i).name(), turns.get(i), Optional.ofNullable(faults[i])))
              .toList();
      long measured = turns.stream().flatMap(List::stream).mapToLong(Turn::makespanNanos).sum();
      double overhead = measured == 0 || interrupted ? 0 : (double) (wall - measured) / measured;
      return new Outcome(measurements, warmUps, stable, interrupted, overhead);
    }

    private void warmUp() {
      long[] best = new long[variants.size()];
      Arrays.fill(best, Long.MAX_VALUE);
      while (warmUps < warmUp.most() && !(stable && warmUps >= warmUp.least())) {
        boolean gained = false;
        for (int i : order()) {
          listener.onTurn(variants.get(i).name(), warmUps, true);
          long nanos = turn(i, 0).timeNanos();
          gained |= WarmUp.isGain(best[i], nanos);
          best[i] = Math.min(best[i], nanos);
        }
        stable = !gained;
        warmUps++;
      }
    }

    private long alive() {
      return Arrays.stream(faults).filter(Objects::isNull).count();
    }

    private void round(int round) {
      for (int i : order()) {
        String name = variants.get(i).name();
        if (faults[i] != null) {
          continue;
        }
        listener.onTurn(name, round, false);
        try {
          turns.get(i).add(turn(i, round));
        } catch (HarmonicaException e) {
          faults[i] = HarmonicaException.oneLine(e.getMessage());
          listener.onFault(name, round, faults[i]);
        }
      }
    }

    private Turn turn(int i, int round) {
      if (stop.getAsBoolean()) {
        throw new CancellationException();
      }
      return sender.send(variants.get(i), round);
    }

    private List<Integer> order() {
      List<Integer> order = new ArrayList<>(IntStream.range(0, variants.size()).boxed().toList());
      Collections.shuffle(order, random);
      return order;
    }
  }
}
