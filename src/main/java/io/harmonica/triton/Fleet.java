package io.harmonica.triton;

import static java.util.stream.Collectors.joining;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Tensor;
import io.harmonica.runtime.Traffic;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * Triton servers, one or several, that serve the same models.
 *
 * <p>A {@link #session} keeps to one server. When that fails, the very same call goes to another:
 * the sample and the cached outputs are bytes in this process, or lie in a region of shared memory
 * that is this process's own, so the trajectory goes on from its last finished step with what it
 * had, and the picture is the same. {@link Retry} says what is repeated. A server that was away is
 * asked again what it serves before it gets work.
 */
public final class Fleet implements Runtime {
  private static final Supplier<Plan> NO_PLAN = () -> new Plan(List.of());

  private final List<Member> members;
  private final ServerOptions options;
  private final Map<String, Member.Held> models = new ConcurrentHashMap<>();
  private final AtomicInteger turn = new AtomicInteger();
  private final LongAdder failovers = new LongAdder();
  private final LongAdder retries = new LongAdder();
  private volatile boolean closed;

  private Fleet(List<Member> members, ServerOptions options) {
    this.members = List.copyOf(members);
    this.options = options;
  }

  /** Connects with {@link ServerOptions#DEFAULTS}. */
  public static Fleet connect(String addresses) {
    return connect(addresses, ServerOptions.DEFAULTS);
  }

  /**
   * Connects to the servers of a list. Those that are away may come later, but one must be there.
   *
   * @param addresses {@code HOST:PORT,HOST:PORT,...} of gRPC services; a name of DNS stands for the
   *     servers at all of its addresses
   */
  public static Fleet connect(String addresses, ServerOptions options) {
    List<Member> members = new ArrayList<>();
    for (Address address : Address.all(addresses)) {
      members.add(new Member(TritonRuntime.of(address, options), options));
    }
    Fleet fleet = new Fleet(members, options);
    try {
      fleet.findOne();
      return fleet;
    } catch (RuntimeException e) {
      fleet.close();
      throw e;
    }
  }

  private void findOne() {
    Map<Member, ServerFault> faults = new LinkedHashMap<>();
    for (Member member : members) {
      try {
        member.runtime().checkLive();
      } catch (ServerFault e) {
        away(member, e, faults);
      }
    }
    if (faults.size() == members.size()) {
      throw allFailed("", faults);
    }
  }

  /** A server is away, unless the fault lies with us, as a wrong token does. */
  private static void away(Member member, ServerFault fault, Map<Member, ServerFault> faults) {
    if (fault.repeat() == Retry.Where.NOWHERE) {
      throw fault;
    }
    member.failed(fault);
    faults.put(member, fault);
  }

  /**
   * The configuration of a model, which all servers must have alike. From then on no server runs a
   * trajectory that has come to have another.
   *
   * @throws HarmonicaException also where two servers disagree about its version, weights,
   *     configuration or routers
   */
  @Override
  public ModelConfig config(String model) {
    requireOpen();
    Map<Member, ServerFault> faults = new LinkedHashMap<>();
    Member.Held held = null;
    for (Member member : members) {
      try {
        Fingerprint found = Chain.await(member.fingerprint(model), "Triton server " + member);
        if (held == null) {
          held = new Member.Held(found, member.toString());
        }
        Optional<String> difference =
            held.fingerprint().difference(found, held.server(), member.toString(), true);
        if (difference.isPresent()) {
          throw disagreement(model, held.server(), member.toString(), difference.get());
        }
        if (isPartOfHeld(found.config())) {
          return found.config();
        }
        member.admit(model);
      } catch (ServerFault e) {
        if (e.repeat() == Retry.Where.ELSEWHERE && !e.isSilence()) {
          throw e; // it is there, and has no such model
        }
        away(member, e, faults);
      }
    }
    if (held == null) {
      throw allFailed(model, faults);
    }
    models.put(model, held);
    return held.config();
  }

  /** Whether it belongs to a model that all servers were found to have alike. */
  private boolean isPartOfHeld(ModelConfig config) {
    ModelParameter base = config.getParametersMap().get(Manifest.PART_OF);
    return base != null && models.containsKey(base.getStringValue());
  }

  static ServerFault disagreement(String model, String here, String there, String difference) {
    return new ServerFault(
        "Triton servers %s and %s disagree about model '%s' (%s): serve the same export from both"
            .formatted(here, there, model, difference),
        null,
        Retry.Where.ELSEWHERE);
  }

  /** Why no server did it: one server's own fault, or that of each. */
  HarmonicaException allFailed(String model, Map<Member, ServerFault> faults) {
    if (faults.size() == 1 && members.size() == 1) {
      return faults.values().iterator().next();
    }
    HarmonicaException all =
        new HarmonicaException(
            HarmonicaException.Kind.SERVER,
            "none of %d Triton servers %s: %s"
                .formatted(
                    members.size(),
                    model.isEmpty() ? "is there" : "could run model '" + model + "'",
                    faults.values().stream().map(Throwable::getMessage).collect(joining("; "))));
    faults.values().forEach(all::addSuppressed);
    return all;
  }

  /** The server to go to: the least busy of those that did not fail lately. */
  Optional<Member> choose(Set<Member> excluded) {
    int first = turn.getAndIncrement();
    List<Member> order = new ArrayList<>();
    for (int i = 0; i < members.size(); i++) {
      order.add(members.get(Math.floorMod(first + i, members.size())));
    }
    order.removeAll(excluded);
    return order.stream()
        .min(
            Comparator.comparingLong((Member member) -> Math.max(0, member.restNanos()))
                .thenComparing(member -> member.sessions().get()));
  }

  Map<String, Member.Held> models() {
    return models;
  }

  ServerOptions options() {
    return options;
  }

  void failedOver(Member from, Member to) {
    failovers.increment();
    options.listener().onFailover(from.toString(), to.toString(), from.lastFault());
  }

  void retries(Duration pause, HarmonicaException fault) {
    retries.increment();
    options.listener().onRetry(pause, fault);
  }

  void requireOpen() {
    if (closed) {
      throw new IllegalStateException("runtime is closed");
    }
  }

  /** The servers one by one, whether they are there or not; they stay the fleet's. */
  public Map<String, TritonRuntime> servers() {
    Map<String, TritonRuntime> servers = new LinkedHashMap<>();
    members.forEach(member -> servers.put(member.toString(), member.runtime()));
    return servers;
  }

  /** How often a trajectory went on at another server. */
  public long failovers() {
    return failovers.sum();
  }

  /** How often all servers were tried again after a pause. */
  public long retries() {
    return retries.sum();
  }

  @Override
  public Tensor tensor(FloatBuffer values, long... shape) {
    return WireTensor.of(values, shape);
  }

  @Override
  public Tensor tensor(LongBuffer values, long... shape) {
    return WireTensor.of(values, shape);
  }

  @Override
  public Map<String, Tensor> infer(String model, Map<String, Tensor> inputs, Set<String> outputs) {
    try (Session session = session(NO_PLAN)) {
      return session.infer(0, model, inputs, outputs);
    }
  }

  @Override
  public CompletableFuture<Map<String, Tensor>> inferAsync(
      String model, Map<String, Tensor> inputs, Set<String> outputs) {
    Session session = session(NO_PLAN);
    CompletableFuture<Map<String, Tensor>> results = session.inferAsync(0, model, inputs, outputs);
    results.whenComplete((done, fault) -> session.close());
    return results;
  }

  @Override
  public Session session(Supplier<Plan> plan) {
    requireOpen();
    return new FleetSession(this, plan);
  }

  @Override
  public String description() {
    return present().stream()
        .map(member -> member.runtime().description())
        .distinct()
        .collect(joining(", "));
  }

  /** All models of the servers that are there, summed by name, and this client's own bytes. */
  @Override
  public Statistics statistics() {
    Map<String, Statistics.Model> sums = new HashMap<>();
    long uncounted = 0;
    for (Member member : present()) {
      Statistics one = member.runtime().statistics();
      one.models().forEach((name, model) -> sums.merge(name, model, Statistics.Model::plus));
      uncounted += one.uncounted();
    }
    return new Statistics(sums, traffic(), uncounted);
  }

  @Override
  public Traffic traffic() {
    Traffic own = new Traffic(0, 0, 0, retries(), failovers());
    return members.stream().map(member -> member.runtime().traffic()).reduce(own, Traffic::plus);
  }

  /** To the farthest server that is there. */
  @Override
  public long roundTripNanos() {
    return ofThoseThere(TritonRuntime::roundTripNanos).max(Long::compare).orElse(0L);
  }

  /** Whether all servers that are there do. */
  @Override
  public boolean sharesMemory() {
    return ofThoseThere(TritonRuntime::sharesMemory).reduce(Boolean::logicalAnd).orElse(false);
  }

  private <T> Stream<T> ofThoseThere(Function<TritonRuntime, T> asked) {
    List<T> answers = new ArrayList<>();
    for (Member member : members) {
      try {
        if (member.restNanos() <= 0) {
          answers.add(asked.apply(member.runtime()));
        }
      } catch (ServerFault e) {
        away(member, e, new HashMap<>()); // its calls will say so
      }
    }
    return answers.stream();
  }

  private List<Member> present() {
    if (members.size() == 1) {
      return members; // whose fault then says what is wrong
    }
    List<Member> present = new ArrayList<>();
    for (Member member : members) {
      try {
        member.runtime().checkLive();
        present.add(member);
      } catch (ServerFault e) {
        member.failed(e);
      }
    }
    return present;
  }

  @Override
  public void close() {
    closed = true;
    members.forEach(member -> member.runtime().close());
  }
}
