package io.harmonica.triton;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;

/** One server of a {@link Fleet}: whether it is there, how much it has to do. */
final class Member {
  private final TritonRuntime runtime;
  private final ServerOptions options;
  private final Limit limit;
  private final AtomicInteger sessions = new AtomicInteger();
  // Models found to be as the fleet's since the server was last away: it may come back with others.
  private final Set<String> admitted = ConcurrentHashMap.newKeySet();
  private final AtomicInteger failures = new AtomicInteger();
  private volatile long restsUntilNanos = System.nanoTime();
  private volatile HarmonicaException lastFault = new HarmonicaException("no fault yet");

  Member(TritonRuntime runtime, ServerOptions options) {
    this.runtime = runtime;
    this.options = options;
    this.limit = new Limit(options.perServer());
  }

  TritonRuntime runtime() {
    return runtime;
  }

  Limit limit() {
    return limit;
  }

  /** Trajectories that keep to this server. */
  AtomicInteger sessions() {
    return sessions;
  }

  @Override
  public String toString() {
    return runtime.address().toString();
  }

  /** How long to leave it alone yet; up to 0: not at all. */
  long restNanos() {
    return restsUntilNanos - System.nanoTime();
  }

  /** Asks for what it serves under a model's name. */
  CompletableFuture<Fingerprint> fingerprint(String model) {
    return Chain.then(
        runtime.configAsync(model),
        config ->
            Chain.then(
                runtime.indexAsync(),
                index -> CompletableFuture.completedFuture(Fingerprint.of(config, index))));
  }

  /** Notes that it serves a model as the fleet does. */
  void admit(String model) {
    admitted.add(model);
  }

  /**
   * Makes sure, after it was away, that it serves the same models as before.
   *
   * @param models of the fleet, by the name of the base ensemble
   */
  CompletableFuture<Void> admit(Map<String, Held> models) {
    CompletableFuture<Void> done = CompletableFuture.completedFuture(null);
    for (Map.Entry<String, Held> model : models.entrySet()) {
      if (!admitted.contains(model.getKey())) {
        done = Chain.then(done, before -> admit(model.getKey(), model.getValue()));
      }
    }
    return done;
  }

  private CompletableFuture<Void> admit(String model, Held held) {
    return Chain.then(
        fingerprint(model),
        found -> {
          Optional<String> difference =
              held.fingerprint().difference(found, held.server(), toString(), false);
          if (difference.isPresent()) {
            throw Fleet.disagreement(model, held.server(), toString(), difference.get());
          }
          admitted.add(model);
          return CompletableFuture.completedFuture(null);
        });
  }

  /** What the fleet goes by, and the server that told it. */
  record Held(Fingerprint fingerprint, String server) {
    ModelConfig config() {
      return fingerprint.config();
    }
  }

  HarmonicaException lastFault() {
    return lastFault;
  }

  void answered() {
    failures.set(0);
  }

  /** It failed: others are better asked for a while. */
  void failed(ServerFault fault) {
    boolean silent = fault.isSilence();
    lastFault = fault;
    if (fault.repeat() == Retry.Where.ANYWHERE || silent) {
      admitted.clear();
      runtime.forgetShared();
      Duration rest =
          options.retry().pause(failures.getAndIncrement(), ThreadLocalRandom.current());
      // One that answers nothing costs a whole deadline to ask.
      long nanos = Math.max(rest.toNanos(), silent ? options.deadline().toNanos() : 0);
      restsUntilNanos = System.nanoTime() + nanos;
    }
  }
}
