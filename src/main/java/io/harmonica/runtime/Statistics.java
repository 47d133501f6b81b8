package io.harmonica.runtime;

import java.util.Map;
import java.util.TreeMap;

/**
 * What a runtime has done so far. Counters only grow: the difference of two moments is what
 * happened in between.
 *
 * @param models by name; of a Triton server all that it serves, whoever asked for them
 * @param traffic of this client
 * @param uncounted calls of this client that a server answered and would not count in time, so that
 *     {@code models} lacks them; it does not grow, and is of the later moment in a difference
 */
public record Statistics(Map<String, Model> models, Traffic traffic, long uncounted) {
  public static final Statistics NONE = new Statistics(Map.of(), Traffic.NONE);

  public Statistics {
    models = Map.copyOf(models);
  }

  /** With all calls counted. */
  public Statistics(Map<String, Model> models, Traffic traffic) {
    this(models, traffic, 0);
  }

  /**
   * One model, an engine or an ensemble.
   *
   * @param count requests that succeeded
   * @param totalNanos of them, from arrival to answer
   * @param queueNanos of the total, waiting for the model: in its queue, or in a batch with others,
   *     whose execution is theirs too
   * @param computeNanos of executions, taking inputs, computing and handing out outputs: several
   *     requests in one batch count once
   */
  public record Model(long count, long totalNanos, long queueNanos, long computeNanos) {
    /** Of one that was not asked. */
    public static final Model NONE = new Model(0, 0, 0, 0);

    /** Two versions of one model together. */
    public Model plus(Model other) {
      return new Model(
          count + other.count,
          totalNanos + other.totalNanos,
          queueNanos + other.queueNanos,
          computeNanos + other.computeNanos);
    }

    private Model minus(Model earlier) {
      return new Model(
          count - earlier.count,
          totalNanos - earlier.totalNanos,
          queueNanos - earlier.queueNanos,
          computeNanos - earlier.computeNanos);
    }
  }

  /** What happened since an earlier moment, models that did nothing left out. */
  public Statistics minus(Statistics earlier) {
    Map<String, Model> between = new TreeMap<>();
    models.forEach(
        (name, model) -> {
          Model difference = model.minus(earlier.models.getOrDefault(name, Model.NONE));
          if (difference.count > 0) {
            between.put(name, difference);
          }
        });
    return new Statistics(between, traffic.minus(earlier.traffic), uncounted);
  }
}
