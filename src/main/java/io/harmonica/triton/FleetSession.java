package io.harmonica.triton;

import io.harmonica.HarmonicaException;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Tensor;
import io.harmonica.triton.Retry.Where;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * One trajectory's place in a {@link Fleet}: it stays at a server while that answers.
 *
 * <p>Where it can share memory with that server, its tensors lie in a region there. None of them is
 * ever lost with the server: the region is a file of this process, which reads on what the server
 * wrote before it failed. So the cached outputs of one region go to the next server over the wire,
 * each until its last reader; having every server open every region would spare that, for as many
 * registrations. A region where a call failed is only read from then on, as the server may yet
 * write to it; all are given back with the session.
 */
final class FleetSession implements Session {
  private final Fleet fleet;
  private final long startNanos = System.nanoTime();
  private final Supplier<Plan> plan;
  private final List<SharedSession> regions = new ArrayList<>(); // of this trajectory so far
  private Member server; // null before the first call and after the last
  private Place place = new Place(null, Optional.empty());
  private boolean closed;

  /** Where a server finds tensors; empty: in the messages. */
  private record Place(Member at, Optional<SharedSession> region) {}

  FleetSession(Fleet fleet, Supplier<Plan> plan) {
    this.fleet = fleet;
    this.plan = plan;
  }

  @Override
  public Map<String, Tensor> infer(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
    return Chain.await(inferAsync(call, model, inputs, outputs), "model '" + model + "' on Triton");
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> inferAsync(
      int call, String model, Map<String, Tensor> inputs, Set<String> outputs) {
    fleet.requireOpen();
    Call next = new Call(call, model, inputs, outputs);
    next.attempt();
    return next.result;
  }

  private synchronized Optional<Member> choose(Set<Member> excluded) {
    return server != null && !excluded.contains(server) && server.restNanos() <= 0
        ? Optional.of(server)
        : fleet.choose(excluded);
  }

  private synchronized void stayAt(Member other) {
    if (server != null) {
      server.sessions().decrementAndGet();
    }
    server = closed ? null : other;
    if (server != null) {
      server.sessions().incrementAndGet();
    }
  }

  /** The region at a server, made with the first call there. Calls follow each other. */
  private Optional<SharedSession> region(Member at) {
    synchronized (this) {
      if (place.at() == at) {
        return place.region();
      }
    }
    Optional<SharedSession> made = at.runtime().shared(plan); // may ask the server
    synchronized (this) {
      place = new Place(at, made);
      made.ifPresent(regions::add);
      if (closed) {
        endRegions();
      }
    }
    return made;
  }

  private synchronized void leaveRegion() {
    place = new Place(null, Optional.empty());
  }

  private void endRegions() {
    leaveRegion();
    regions.forEach(SharedSession::close);
    regions.clear();
  }

  @Override
  public synchronized void close() {
    closed = true;
    stayAt(null);
    endRegions();
  }

  /** One step, wherever it succeeds. Its attempts follow each other, on whatever thread. */
  private final class Call {
    private final int index; // in the plan
    private final String model;
    private final Map<String, Tensor> inputs;
    private final Set<String> outputs;
    private final CompletableFuture<Map<String, Tensor>> result = new CompletableFuture<>();
    private final Map<Member, ServerFault> faults = new LinkedHashMap<>();
    private final Set<Member> tried = new HashSet<>(); // since the last pause
    private final Set<Member> unable = new HashSet<>();
    private int rounds;
    private volatile CompletableFuture<?> current = result;

    Call(int index, String model, Map<String, Tensor> inputs, Set<String> outputs) {
      this.index = index;
      this.model = model;
      this.inputs = inputs;
      this.outputs = outputs;
      result.whenComplete(
          (done, fault) -> {
            if (result.isCancelled()) {
              current.cancel(true);
            }
          });
    }

    void attempt() {
      if (result.isDone()) {
        return;
      }
      Optional<Member> next = choose(tried);
      if (next.isEmpty()) {
        pause();
        return;
      }
      Member at = next.get();
      tried.add(at);
      CompletableFuture<Map<String, Tensor>> run =
          Chain.then(at.admit(fleet.models()), admitted -> at.limit().run(() -> infer(at)));
      current = run;
      if (result.isCancelled()) {
        run.cancel(true);
      }
      run.whenComplete(
          (tensors, thrown) -> {
            if (thrown == null) {
              landed(at, tensors);
            } else {
              failed(at, Chain.thrown(thrown));
            }
          });
    }

    private CompletableFuture<Map<String, Tensor>> infer(Member at) {
      Duration deadline = fleet.options().deadline();
      Optional<Duration> left = left();
      if (left.isPresent() && left.get().compareTo(deadline) < 0) {
        deadline = left.get();
      }
      if (deadline.isNegative() || deadline.isZero()) {
        throw tooLate(null);
      }
      Optional<SharedSession> region = region(at);
      return region.isPresent()
          ? region.get().inferAsync(index, model, inputs, outputs, deadline)
          : at.runtime().inferAsync(model, inputs, outputs, Carrier.WIRE, deadline);
    }

    private void landed(Member at, Map<String, Tensor> tensors) {
      at.answered();
      Member before;
      synchronized (FleetSession.this) {
        before = server;
        if (before != at) {
          stayAt(at);
        }
      }
      if (before != null && before != at) {
        fleet.failedOver(before, at);
      }
      if (!result.complete(tensors)) {
        tensors.values().forEach(Tensor::close); // cancelled meanwhile
      }
    }

    private void failed(Member at, Throwable thrown) {
      leaveRegion();
      if (!(thrown instanceof ServerFault fault) || fault.repeat() == Where.NOWHERE) {
        result.completeExceptionally(thrown);
        return;
      }
      if (left().map(time -> time.isNegative() || time.isZero()).orElse(false)) {
        result.completeExceptionally(tooLate(fault));
        return;
      }
      at.failed(fault);
      faults.put(at, fault);
      if (fault.repeat() == Where.ELSEWHERE) {
        unable.add(at);
      }
      attempt();
    }

    /** All were tried: again after a pause, those that may answer otherwise. */
    private void pause() {
      HarmonicaException all = fleet.allFailed(model, faults);
      rounds++;
      if (unable.size() == faults.size() || rounds >= fleet.options().retry().attempts()) {
        result.completeExceptionally(all);
        return;
      }
      tried.clear();
      tried.addAll(unable);
      Duration pause = fleet.options().retry().pause(rounds - 1, ThreadLocalRandom.current());
      fleet.retries(pause, all);
      CompletableFuture.delayedExecutor(pause.toNanos(), TimeUnit.NANOSECONDS)
          .execute(this::attempt);
    }

    private Optional<Duration> left() {
      return fleet
          .options()
          .pictureDeadline()
          .map(time -> time.minusNanos(System.nanoTime() - startNanos));
    }

    private HarmonicaException tooLate(HarmonicaException cause) {
      return new HarmonicaException(
          HarmonicaException.Kind.DEADLINE,
          "the picture was not finished within its deadline of %s s%s: give it more time, or servers less load"
              .formatted(
                  fleet.options().pictureDeadline().orElseThrow().toMillis() / 1000.0,
                  cause == null ? "" : " (" + cause.getMessage() + ")"),
          cause);
    }
  }
}
