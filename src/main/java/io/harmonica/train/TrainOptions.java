package io.harmonica.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.InvalidProperty;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Flops;
import io.harmonica.router.Grain;
import io.harmonica.router.Reuse;
import io.harmonica.router.Tiers;
import io.harmonica.sampler.Sampler;
import io.harmonica.train.search.Target;
import java.util.Locale;
import java.util.Optional;

/**
 * How to train a router; the defaults of the command line are in brackets.
 *
 * @param trajectory what the router is for
 * @param objective [sdt]
 * @param reuse what is reused, and how
 * @param weights of the steps' errors
 * @param control what the table's cost is held to [a theoretical speedup of 1.5]
 * @param start the table to start from [random]
 * @param effort how long and how fast
 * @param threshold above which a score computes, in (0, 0.99] [0.1]
 */
public record TrainOptions(
    Trajectory trajectory,
    Objective objective,
    Reuses reuse,
    ErrorWeights weights,
    Control control,
    Start start,
    Effort effort,
    double threshold) {

  /** Of {@link #describe}, what alone a resumed run may lower: it may have been too high. */
  static final String LEARNING_RATE = "learningRate";

  private static final int MOST = 1_000_000;

  /** Refuses what cannot be trained with, naming the property. */
  public TrainOptions {
    require( // a logit of 5 must lie above it: step 0 computes
        threshold > 0 && threshold <= 0.99, "threshold", threshold, "above 0, at most 0.99");
    if (objective == Objective.LTC
        && (reuse.rule() != Reusing.LAST || weights.lambda() != Lambda.NONE)) {
      throw new InvalidProperty(
          "objective",
          "ltc reuses the last output and weighs all errors alike: leave `reuse` and `lambda` out");
    }
  }

  /** The same, held to something else. */
  public TrainOptions held(Control other) {
    return new TrainOptions(trajectory, objective, reuse, weights, other, start, effort, threshold);
  }

  /**
   * The trajectory that a router is for.
   *
   * @param guidance scale of classifier-free guidance; up to 1 there is none
   * @param guidanceChannels how many channels it acts on
   */
  public record Trajectory(
      String sampler, int steps, String spacing, double guidance, int guidanceChannels) {
    public Trajectory {
      range("steps", steps, 2, 1000);
      require(guidance >= 0 && guidance <= 100, "guidance", guidance, "0..100");
      range("guidanceChannels", guidanceChannels, 1, MOST);
    }

    /** Refuses guidance of a model that has no null class to lead away from. */
    public void requireGuides(Denoiser model) {
      model.io().unconditional().requireGuides(guidance, model.architecture());
    }
  }

  /**
   * How much each step's error weighs.
   *
   * @param lambda how it is found [gain]; none is SDT without IEPO
   * @param every iterations from one refresh to the next, from 1 [50]
   */
  public record ErrorWeights(Lambda lambda, int every) {
    public ErrorWeights {
      range("lambdaEvery", every, 1, MOST);
    }
  }

  /**
   * How long and how fast to train.
   *
   * @param iterations trajectories to train on (ltc: rounds over all pairs of steps), from 0 [500]
   * @param batch pictures in one trajectory, from 1 [4]
   * @param seed of all that is drawn [0]
   * @param learningRate of AdamW, in (0, 1] [0.01]
   * @param exchange rounds of exchanges under the exact measure after training, from 0 [0]
   */
  public record Effort(int iterations, int batch, long seed, double learningRate, int exchange) {
    public Effort {
      range("iterations", iterations, 0, MOST);
      range("batch", batch, 1, 4096);
      range("exchange", exchange, 0, MOST);
      require(
          learningRate > 0 && learningRate <= 1,
          "learningRate",
          learningRate,
          "above 0, at most 1");
    }
  }

  /** What is minimised. */
  public enum Objective {
    /** HarmoniCa's step-wise denoising training, over whole trajectories. */
    SDT,
    /** Learning-to-Cache, over pairs of steps. */
    LTC;

    /**
     * Per step whether its row is trained; the others compute everything. Learning-to-Cache's are
     * every second one, of those that begin an update of the sampler.
     */
    public boolean[] trainable(Sampler sampler) {
      boolean[] trainable = new boolean[sampler.timesteps().size()];
      for (int s = 1; s < trainable.length; s++) {
        trainable[s] = this == SDT || (sampler.beginsUpdate(s) && !trainable[s - 1]);
      }
      return trainable;
    }
  }

  /**
   * What is reused, and how.
   *
   * @param rule how a reused output follows from stored ones [last]
   * @param grain what is computed or reused as one [branch]
   * @param merges whether neighbours that the finished table reuses are merged to runs, where that
   *     costs less than it saves [no]
   */
  public record Reuses(Reusing rule, Grain grain, boolean merges) {
    public Reuses {
      if (merges && grain == Grain.MODEL) {
        throw new InvalidProperty(
            "merge", "has nothing to merge with `grain` model: leave one of them out");
      }
    }

    /** Of branches, each by itself. */
    public static Reuses of(Reusing rule) {
      return new Reuses(rule, Grain.BRANCH, false);
    }

    void describe(ObjectNode json) {
      json.put("reuse", word(rule));
      if (grain != Grain.BRANCH) {
        json.put("grain", grain.toString());
      }
      if (merges) {
        json.put("merge", true);
      }
    }
  }

  /** How a reused output follows from stored ones. */
  public enum Reusing {
    LAST(0),
    LINEAR(1),
    QUADRATIC(2),
    /** Linear, with weights that are trained too. */
    LEARNED(1),
    /** Quadratic, with weights that are trained too. */
    LEARNED_QUADRATIC(2);

    private final int order;

    Reusing(int order) {
      this.order = order;
    }

    Reuse.Forecast forecast() {
      return new Reuse.Forecast(order);
    }

    /** Whether the weights are trained. */
    boolean learns() {
      return this == LEARNED || this == LEARNED_QUADRATIC;
    }

    /** How many weights of a reused output are trained. */
    int weights() {
      return learns() ? order + 1 : 0;
    }
  }

  /** How much a step's error weighs (IEPO). */
  public enum Lambda {
    /** The paper's, over the step's own error: what a unit of it does to the picture. */
    GAIN,
    PAPER,
    PAPER_HARD,
    REFERENCE,
    /** Every step weighs 1. */
    NONE;
  }

  /**
   * What the table's cost is held to.
   *
   * @param kind {@code beta}, {@code speedup} or {@code cur}
   * @param tier of the router, if it is one of a family
   */
  public record Control(String kind, double value, Optional<String> tier) {
    private static Control of(String kind, double value) {
      return new Control(kind, value, Optional.empty());
    }

    /** The same for a router of this tier. */
    public Control forTier(String name) {
      return new Control(kind, value, Optional.of(name));
    }

    /** A fixed price of a computed branch in the loss. */
    public static Control beta(double value) {
      require(value >= 0 && value <= 1e9, "beta", value, "0..1e9");
      return of("beta", value);
    }

    /** A theoretical speedup, beta following it. */
    public static Control speedup(double value) {
      require(value >= 1 && value <= 1000, "targetSpeedup", value, "1..1000");
      return of("speedup", value);
    }

    /** A cache utilisation ratio, beta following it. */
    public static Control cur(double value) {
      require(value >= 0 && value < 1, "targetCur", value, "0 or more and below 1");
      return of("cur", value);
    }

    /** What a run is held to; empty where beta is fixed. */
    Optional<Target> target(Columns columns, Flops flops, boolean[] trainable) {
      return switch (kind) {
        case "speedup" -> Optional.of(Target.speedup(value, columns.flops(flops), trainable));
        case "cur" -> Optional.of(Target.cur(value, columns.sizes(), trainable));
        default -> Optional.empty();
      };
    }

    /** The beta to begin with: steering finds it in the first iteration. */
    double firstBeta() {
      return kind.equals("beta") ? value : 0;
    }
  }

  /**
   * What a resumed run has to repeat. Not in it: iterations and rounds of exchange, of which there
   * may be more, and what the trainer knows: resolution, precision, captions.
   */
  ObjectNode describe() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("objective", word(objective)).put("sampler", trajectory.sampler());
    json.put("steps", trajectory.steps()).put("spacing", trajectory.spacing());
    json.put("guidance", trajectory.guidance());
    json.put("guidanceChannels", trajectory.guidanceChannels());
    reuse.describe(json);
    json.put("lambda", word(weights.lambda()))
        .put("lambdaEvery", weights.every())
        .put(control.kind(), control.value());
    json.put("init", start.name()).put("batch", effort.batch()).put("seed", effort.seed());
    control.tier().ifPresent(tier -> json.put(Tiers.FIELD, tier));
    return json.put(LEARNING_RATE, effort.learningRate()).put("threshold", threshold);
  }

  private static String word(Enum<?> constant) {
    return constant.name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  private static void range(String property, int value, int least, int most) {
    require(value >= least && value <= most, property, value, least + ".." + most);
  }

  private static void require(boolean fits, String property, Object value, String expected) {
    if (!fits) {
      throw new InvalidProperty(property, "is %s, expected %s".formatted(value, expected));
    }
  }
}
