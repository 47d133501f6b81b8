package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import java.util.Arrays;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntConsumer;
import org.junit.jupiter.api.Test;

class SenderTest {
  private static final long MS = 1_000_000;

  /** A made-up time that only work and sleep advance. */
  static final class MadeUpClock implements Sender.Clock {
    private long now = 1;

    @Override
    public long nanos() {
      return now;
    }

    @Override
    public void sleepUntil(long nanos) {
      now = Math.max(now, nanos);
    }

    void work(long nanos) {
      now += nanos;
    }
  }

  /** One server, 1 ms a request; request 100 of a thousand meets a stall of 500 ms. */
  private static Turn stalled(Load load) {
    MadeUpClock clock = new MadeUpClock();
    Variant variant = variant(1000, i -> clock.work(i == 100 ? 500 * MS : MS));
    return new Sender(load, 1, clock).send(variant, 0);
  }

  @Test
  void send_countsAStall_forEveryRequestDueMeanwhile() {
    // 200 a second, served one at a time: about 100 are due while the server stalls.
    long[] latencies = stalled(new Load(1, 200)).latenciesNanos();
    long waited = Arrays.stream(latencies).filter(l -> l > 50 * MS).count();
    assertThat(waited).isBetween(80L, 160L);
    Latency latency = Latency.of(latencies);
    assertThat(latency.p50Millis()).isLessThan(3);
    assertThat(latency.p99Millis()).isBetween(400.0, 500.0);
    // A closed loop sends nothing meanwhile, and so sees one slow request: coordinated omission.
    long[] closed = stalled(Load.ONE_BY_ONE).latenciesNanos();
    assertThat(Arrays.stream(closed).filter(l -> l > 50 * MS).count()).isEqualTo(1);
    assertThat(Latency.of(closed).p99Millis()).isEqualTo(1);
  }

  @Test
  void send_takesTheMeanLatencyAsTime_inAnOpenLoop() {
    Turn open = stalled(new Load(1, 200));
    assertThat(open.timeNanos())
        .isEqualTo(Math.round(Arrays.stream(open.latenciesNanos()).average().orElseThrow()));
    Turn closed = stalled(Load.ONE_BY_ONE);
    assertThat(closed.timeNanos()).isEqualTo(closed.makespanNanos()).isEqualTo(1499 * MS);
  }

  @Test
  void dueNanos_areAPoissonProcess_alikeForEveryVariant() {
    long[] due = Load.rate(50).dueNanos(20_000, 3);
    assertThat(due).isSorted().isEqualTo(Load.rate(50).dueNanos(20_000, 3));
    assertThat(due[due.length - 1] / 1e9 / due.length).isBetween(0.0196, 0.0204);
    // Exponential gaps: 1 - 1/e of them are shorter than their mean.
    long shorter = 0;
    for (int i = 1; i < due.length; i++) {
      shorter += due[i] - due[i - 1] < 20 * MS ? 1 : 0;
    }
    assertThat(shorter / 20_000.0).isBetween(0.62, 0.645);
  }

  @Test
  void send_keepsSoManyInFlight_andSendsEachOnce() {
    Set<Integer> sent = ConcurrentHashMap.newKeySet();
    AtomicInteger inFlight = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CyclicBarrier all = new CyclicBarrier(3); // passes only while three are in flight
    Variant variant =
        variant(
            12,
            i -> {
              most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
              assertThat(sent.add(i)).isTrue();
              await(all);
              inFlight.decrementAndGet();
            });
    try (Sender sender = new Sender(Load.concurrency(3), 0, Sender.SYSTEM)) {
      Turn turn = sender.send(variant, 0);
      assertThat(sent).hasSize(12);
      assertThat(most).hasValue(3);
      for (int i = 0; i < 12; i++) { // in the order of the requests, whoever was first
        assertThat(turn.samples().get(i).latents().values()).containsExactly(i);
      }
    }
  }

  @Test
  void send_endsWithTheFirstFault() {
    AtomicInteger sent = new AtomicInteger();
    Variant variant =
        variant(
            1000,
            i -> {
              sent.incrementAndGet();
              throw new HarmonicaException("gone");
            });
    try (Sender sender = new Sender(Load.concurrency(4), 0, Sender.SYSTEM)) {
      assertThatThrownBy(() -> sender.send(variant, 0))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage("gone");
      assertThat(sent).hasValueLessThanOrEqualTo(8);
    }
  }

  private static void await(CyclicBarrier barrier) {
    try {
      barrier.await();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  private static Variant variant(int requests, IntConsumer work) {
    return new Variant() {
      @Override
      public String name() {
        return "v";
      }

      @Override
      public int requests() {
        return requests;
      }

      @Override
      public Sample request(int round, int index) {
        work.accept(index);
        return new Sample(new Latents(new float[] {index}, 1, 1, 1, 1), 1, 1, 0, 1);
      }
    };
  }
}
