package io.harmonica.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Flops;
import io.harmonica.model.Shapes;
import io.harmonica.model.Weights;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Noising;
import io.harmonica.sampler.Predicts;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import io.harmonica.train.trajectory.Captions;
import java.util.List;
import java.util.Optional;

/**
 * The model and the trajectory that a router is trained for.
 *
 * @param name what the router will be called
 * @param digest of the model's weights, see {@link io.harmonica.checkpoint.Digest}
 * @param flops of one pass
 * @param sampled how its trajectories go
 * @param captions what a model that takes text is trained on
 */
public record Task(
    String name,
    Denoiser model,
    String digest,
    Flops flops,
    Sampled sampled,
    Optional<Captions> captions) {
  /** Keeps a score that was moved to the other side of the threshold just there. */
  private static final double MARGIN = 1e-6;

  /**
   * How trajectories go.
   *
   * @param name of the sampler, as router files have it
   * @param sampler whose steps they take
   * @param sampling of the model
   * @param spacing that the sampler was made with
   */
  public record Sampled(String name, Sampler sampler, Sampling sampling, Spacing spacing) {}

  /** Of a model as it is sampled, for the trajectory that was asked for. */
  public static Task of(
      String name,
      Denoiser model,
      String digest,
      TrainOptions.Trajectory trajectory,
      Sampling sampling,
      Optional<Captions> captions) {
    Spacing spacing = Spacing.of(trajectory.spacing());
    Sampler sampler =
        sampling.sampler(trajectory.sampler(), trajectory.steps(), Optional.of(spacing));
    return new Task(
        name,
        model,
        digest,
        Shapes.flops(model, Weights.NONE),
        new Sampled(trajectory.sampler(), sampler, sampling, spacing),
        captions);
  }

  /** The same for a router of another name. */
  public Task named(String other) {
    return new Task(other, model, digest, flops, sampled, captions);
  }

  /** Whose steps the trajectory takes. */
  public Sampler sampler() {
    return sampled.sampler;
  }

  /** What the model was trained on. */
  Noising noising() {
    return sampled.sampling.noising();
  }

  /**
   * Cumulative signal share at each step's timestep.
   *
   * @throws HarmonicaException if the model was trained on a flow, which has none
   */
  public double[] signal() {
    return sampled.sampling.signal(sampler().timesteps(), sampled.spacing);
  }

  List<String> branches() {
    return model.branchNames();
  }

  /** What the model's outputs are. */
  Predicts predicts() {
    return noising() instanceof Diffusion diffusion ? diffusion.predicts() : Predicts.NOISE;
  }

  int steps() {
    return sampler().timesteps().size();
  }

  /** What a table saves. */
  Savings savings(Columns columns, boolean[][] computes, Table table, double threshold) {
    return savings(
        router(
            columns,
            computes,
            table,
            threshold,
            Reuse.LAST,
            JsonNodeFactory.instance.objectNode()));
  }

  /** What a router of this model saves. */
  public Savings savings(Router router) {
    return Savings.of(router, flops, CacheBytes.of(model));
  }

  /**
   * A router that computes what a table says; scores that are on the other side are moved to the
   * threshold.
   *
   * @param columns the table's, and behind them what merging made of several
   * @param computes {@code [steps][columns]}
   * @param reuse by column
   */
  Router router(
      Columns columns,
      boolean[][] computes,
      Table table,
      double threshold,
      Reuse reuse,
      ObjectNode training) {
    List<Integer> sources = columns.ofRouter();
    double[][] scores = new double[steps()][sources.size()];
    for (int s = 0; s < scores.length; s++) {
      for (int r = 0; r < sources.size(); r++) {
        int column = sources.get(r);
        boolean isRun = r >= branches().size();
        scores[s][r] =
            isRun && columns.isUnderAnother(column, computes[s])
                ? 1 // reused all the same, as a part of the other one
                : score(table, s, column, computes[s][column], threshold);
      }
    }
    return new Router(
        name,
        model.architecture(),
        sampled.name(),
        steps(),
        sampler().timesteps(),
        threshold,
        branches(),
        columns.runs(),
        scores,
        columns.ofRouter(reuse),
        training);
  }

  private static double score(
      Table table, int step, int column, boolean computes, double threshold) {
    double own =
        column < table.columns() ? table.score(step, column) : computes ? 1 : 0; // or merged
    return computes ? Math.max(own, Math.min(1, threshold + MARGIN)) : Math.min(own, threshold);
  }
}
