package io.harmonica.triton;

import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Traffic;
import io.harmonica.triton.proto.InferBatchStatistics;
import io.harmonica.triton.proto.InferStatistics;
import io.harmonica.triton.proto.ModelStatistics;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;

/**
 * What a Triton server has counted, told once it has counted the calls that it has answered.
 *
 * <p>Triton counts a request to an ensemble when all of its steps have let go of it, 2 to 8 ms
 * after the answer on an idle machine, and an engine's execution a moment later still. Read at
 * once, statistics lack the last call, which then seems to belong to what is measured next.
 */
final class ServerCounts {
  /** After this long a server that has not counted will not; a report says so in words. */
  private static final Duration MOST = Duration.ofSeconds(2);

  private static final long MOST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final Supplier<List<ModelStatistics>> server;

  /** Calls that the server has answered since the last look, by model. */
  private final Map<String, Long> answered = new ConcurrentHashMap<>();

  /** Engines that those calls ran, as far as ensembles name them. */
  private final Set<String> engines = ConcurrentHashMap.newKeySet();

  /** Requests of the last look, by model. */
  private Map<String, Long> seen = Map.of();

  /** Asks the server whenever something is to be told. */
  ServerCounts(Supplier<List<ModelStatistics>> server) {
    this.server = server;
  }

  /** The server has answered a call. */
  void answered(ModelConfig model) {
    model.getEnsembleScheduling().getStepList().stream()
        .map(ModelEnsembling.Step::getModelName)
        .forEach(engines::add);
    engines.add(model.getName());
    answered.merge(model.getName(), 1L, Long::sum);
  }

  /** What all models have done, waiting a while for what they still owe. */
  synchronized Statistics statistics(Traffic traffic) {
    Map<String, Long> calls = Map.copyOf(answered);
    Set<String> ran = calls.isEmpty() ? Set.of() : new TreeSet<>(engines);
    long end = System.nanoTime() + MOST.toNanos();
    Look look = new Look(server.get());
    long pause = TimeUnit.MILLISECONDS.toNanos(1);
    while (look.lacks(calls, seen) > 0 && System.nanoTime() < end) {
      LockSupport.parkNanos(pause); // interrupted, it returns, and the server's call says so
      pause = Math.min(2 * pause, MOST_PAUSE_NANOS);
      look = new Look(server.get());
    }
    // Other clients' requests go on arriving: executions are awaited of those that are here now.
    Map<String, Long> rows = look.rows(ran);
    while (look.lacksExecuted(rows) > 0 && System.nanoTime() < end) {
      LockSupport.parkNanos(pause);
      look = new Look(server.get());
    }
    calls.forEach((model, count) -> answered.merge(model, -count, ServerCounts::sumOrNone));
    long lacks = look.lacks(calls, seen) + look.lacksExecuted(rows);
    seen = look.requests();
    return new Statistics(look.models(), traffic, lacks);
  }

  private static Long sumOrNone(long one, long other) {
    return one + other == 0 ? null : (Long) (one + other);
  }

  /** The statistics of a moment; those of a model's versions are summed. */
  private record Look(List<ModelStatistics> all) {

    Map<String, Statistics.Model> models() {
      Map<String, Statistics.Model> models = new HashMap<>();
      all.forEach(one -> models.merge(one.getName(), times(one), Statistics.Model::plus));
      return models;
    }

    Map<String, Long> requests() {
      Map<String, Long> requests = new HashMap<>();
      all.forEach(
          one ->
              requests.merge(
                  one.getName(), one.getInferenceStats().getSuccess().getCount(), Long::sum));
      return requests;
    }

    /** Answered calls that are not counted. */
    long lacks(Map<String, Long> calls, Map<String, Long> before) {
      Map<String, Long> now = requests();
      return calls.entrySet().stream()
          .mapToLong(
              call ->
                  before.getOrDefault(call.getKey(), 0L)
                      + call.getValue()
                      - now.getOrDefault(call.getKey(), 0L))
          .map(lack -> Math.max(0, lack))
          .sum();
    }

    /** Rows of all requests that were counted. */
    Map<String, Long> rows(Set<String> models) {
      Map<String, Long> rows = new HashMap<>();
      all.stream()
          .filter(one -> models.contains(one.getName()))
          .forEach(one -> rows.merge(one.getName(), one.getInferenceCount(), Long::sum));
      return rows;
    }

    /** Rows that no execution accounts for. */
    long lacksExecuted(Map<String, Long> rows) {
      Map<String, Long> executed = new HashMap<>();
      for (ModelStatistics one : all) {
        for (InferBatchStatistics batch : one.getBatchStatsList()) {
          executed.merge(
              one.getName(), batch.getBatchSize() * batch.getComputeInfer().getCount(), Long::sum);
        }
      }
      return rows.entrySet().stream()
          .mapToLong(row -> row.getValue() - executed.getOrDefault(row.getKey(), 0L))
          .map(lack -> Math.max(0, lack))
          .sum();
    }

    /** A batch takes one execution, which Triton adds to the time of each request in it. */
    private static Statistics.Model times(ModelStatistics model) {
      InferStatistics requests = model.getInferenceStats();
      long together =
          requests.getComputeInput().getNs()
              + requests.getComputeInfer().getNs()
              + requests.getComputeOutput().getNs();
      long executions = 0;
      for (InferBatchStatistics batch : model.getBatchStatsList()) {
        executions +=
            batch.getComputeInput().getNs()
                + batch.getComputeInfer().getNs()
                + batch.getComputeOutput().getNs();
      }
      return new Statistics.Model(
          requests.getSuccess().getCount(),
          requests.getSuccess().getNs(),
          requests.getQueue().getNs() + Math.max(0, together - executions),
          executions);
    }
  }
}
