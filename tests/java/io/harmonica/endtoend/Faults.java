package io.harmonica.endtoend;

import io.harmonica.triton.LoopbackProxy;
import io.harmonica.triton.TritonServer;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;

/**
 * Two servers, each behind a proxy, and what is done to them. Only one of them is dead, or silent
 * beyond a call's deadline, at a time, while connections of both break: then a fleet has to lose
 * nothing.
 */
final class Faults implements AutoCloseable {
  enum Kind {
    KILL,
    RESET,
    SHORT_STALL,
    LONG_STALL
  }

  private final Path repository;
  private final Duration deadline;
  private final Random random = new Random(6);
  private final List<int[]> ports = new ArrayList<>();
  private final TritonServer[] servers = new TritonServer[2];
  private final List<LoopbackProxy> proxies = new ArrayList<>();
  private final Map<Kind, Integer> counts = new EnumMap<>(Kind.class);
  private int turn;
  private int weak; // the server that is, or last was, dead or silent
  private CompletableFuture<Void> mended = CompletableFuture.completedFuture(null);
  private long silentUntilNanos = System.nanoTime();

  private Faults(Path repository, Duration deadline) {
    this.repository = repository;
    this.deadline = deadline;
  }

  /**
   * Starts the servers.
   *
   * @param deadline of a client's calls
   */
  static Faults on(Path repository, Duration deadline) throws IOException, InterruptedException {
    Faults faults = new Faults(repository, deadline);
    try {
      for (int i = 0; i < 2; i++) {
        faults.ports.add(TritonServer.freePorts(3));
        faults.servers[i] = TritonServer.startAt(repository, faults.ports.get(i));
        faults.proxies.add(LoopbackProxy.to(faults.servers[i].address(), Duration.ZERO));
      }
      return faults;
    } catch (RuntimeException | IOException | InterruptedException e) {
      faults.close();
      throw e;
    }
  }

  /** Of the proxies, as a client takes them. */
  String addresses() {
    return proxies.get(0).address() + "," + proxies.get(1).address();
  }

  /** What was done since this was last asked. */
  Map<Kind, Integer> takeCounts() {
    Map<Kind, Integer> taken = new EnumMap<>(counts);
    counts.clear();
    turn = 0;
    return taken;
  }

  /** Does the next thing in turn. What needs the other server well has to wait for that. */
  void next() throws IOException {
    Kind kind = Kind.values()[turn % Kind.values().length];
    boolean grave = kind == Kind.KILL || kind == Kind.LONG_STALL;
    if (grave && !areWell()) {
      kind = random.nextBoolean() ? Kind.RESET : Kind.SHORT_STALL;
    } else {
      weak = grave ? 1 - weak : weak;
      turn++;
    }
    switch (kind) {
      case KILL -> kill(weak);
      case LONG_STALL -> {
        Duration silence = deadline.multipliedBy(5).dividedBy(4);
        silentUntilNanos = System.nanoTime() + silence.toNanos();
        proxies.get(weak).stall(silence);
      }
      case SHORT_STALL -> proxies.get(1 - weak).stall(deadline.dividedBy(8));
      case RESET -> proxies.get(random.nextInt(2)).reset();
    }
    counts.merge(kind, 1, Integer::sum);
  }

  private void kill(int which) {
    servers[which].kill();
    mended =
        CompletableFuture.runAsync(
            () -> {
              try {
                servers[which].close();
                servers[which] = TritonServer.startAt(repository, ports.get(which));
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
  }

  private boolean areWell() {
    return mended.isDone() && System.nanoTime() - silentUntilNanos > 0;
  }

  /** Until both servers are well. */
  void awaitMended() throws InterruptedException {
    mended.join();
    Thread.sleep(Math.max(0, (silentUntilNanos - System.nanoTime()) / 1_000_000 + 1));
  }

  @Override
  public void close() throws IOException {
    mended.join();
    for (LoopbackProxy proxy : proxies) {
      proxy.close();
    }
    for (TritonServer server : servers) {
      if (server != null) {
        server.close();
      }
    }
  }
}
