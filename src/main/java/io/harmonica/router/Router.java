package io.harmonica.router;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * The table of HarmoniCa (arXiv 2410.01723): a score above the threshold computes the branch at
 * that step, any other reuses its last computed outputs. Behind the branches it may have columns of
 * runs: such a score at or below the threshold reuses all branches of the run as one.
 *
 * <p>Values are checked here and the scores copied, so that a router in hand is a usable one and
 * stays so; for many threads. {@code training} is not copied: leave it as it is. To compare two,
 * take {@link #toJson}: {@code equals} asks for the same array.
 *
 * @param name what engines, ensembles and {@code --router} call it
 * @param model the architecture whose branches it routes, for example {@code DiT-XL/2}
 * @param sampler the sampler it was made for, for example {@code ddim} or {@code dpm-solver++}
 * @param steps denoising steps, 1..1000; step 0 is the noisiest, runs first and computes everything
 * @param timesteps per step the model's own timestep, strictly decreasing: whole ones 999..0, or
 *     decimal ones 1000..0
 * @param threshold in [0, 1]
 * @param branches names in execution order, for example {@code block07.mlp}
 * @param runs of branches that are reused as one at some steps; all branches of a run that a step
 *     reuses are reused by their own scores, too
 * @param scores {@code [steps][branches + runs]}, each in [0, 1]
 * @param reuse how a reused output follows from the computed ones
 * @param training how the router came to be, free-form
 */
public record Router(
    String name,
    String model,
    String sampler,
    int steps,
    Timesteps timesteps,
    double threshold,
    List<String> branches,
    List<Run> runs,
    double[][] scores,
    Reuse reuse,
    ObjectNode training) {

  private static final int MAX_NAME = 100;
  private static final double MOST_TIME = 1000;
  private static final long MAX_FILE_BYTES = 64L << 20;
  private static final Pattern MODEL = Pattern.compile("[A-Za-z0-9._/-]+");
  private static final Pattern SAMPLER = Pattern.compile("[a-z0-9][a-z0-9+._-]*");
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_-])?");

  /** Refuses what would draw a wrong picture, with an {@link IllegalArgumentException}. */
  public Router {
    branches = List.copyOf(branches);
    runs = List.copyOf(runs);
    scores = copy(scores);
    requireName("name", name);
    if (model.length() > MAX_NAME || !MODEL.matcher(model).matches()) {
      throw new IllegalArgumentException(
          "model is '%s', expected an architecture such as DiT-XL/2".formatted(model));
    }
    if (sampler.length() > MAX_NAME || !SAMPLER.matcher(sampler).matches()) {
      throw new IllegalArgumentException(
          "sampler is '%s', expected a name such as dpm-solver++".formatted(sampler));
    }
    requireTimesteps(steps, timesteps);
    requireBranches(branches);
    if (!(threshold >= 0 && threshold <= 1)) {
      throw new IllegalArgumentException("threshold is %s, expected 0..1".formatted(threshold));
    }
    RouterTable table = new RouterTable(branches, runs, threshold, scores);
    table.require(steps);
    reuse.requireSize(steps, table.columns());
  }

  /** One that reuses each branch by itself. */
  public Router(
      String name,
      String model,
      String sampler,
      int steps,
      Timesteps timesteps,
      double threshold,
      List<String> branches,
      double[][] scores,
      Reuse reuse,
      ObjectNode training) {
    this(
        name, model, sampler, steps, timesteps, threshold, branches, List.of(), scores, reuse,
        training);
  }

  /** Reads a router file; any fault in it is a {@link HarmonicaException} naming the file. */
  public static Router read(Path file) {
    try {
      long size = Files.size(file);
      if (size > MAX_FILE_BYTES) {
        throw new HarmonicaException(
            "router file %s has %d bytes, expected at most %d: it is something else"
                .formatted(file, size, MAX_FILE_BYTES));
      }
      return RouterReader.parse(Files.readString(file), file.toString());
    } catch (IOException e) {
      throw new HarmonicaException(
          "cannot read router file %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  /**
   * Reads a router from its JSON form.
   *
   * @param where what errors call the source of the text
   */
  public static Router parse(String json, String where) {
    return RouterReader.parse(json, where);
  }

  /** Writes the JSON form beside the target and moves it into place. */
  public void write(Path file) {
    AtomicFile.write(file, toJson().getBytes(StandardCharsets.UTF_8));
  }

  /** The JSON form, one row of scores a line; reading it back gives an equal table. */
  public String toJson() {
    return RouterWriter.write(this);
  }

  /** All scores, {@code [steps][branches + runs]}, copied; {@link #score} gives one without. */
  @Override
  public double[][] scores() {
    return copy(scores);
  }

  private static double[][] copy(double[][] table) {
    return Arrays.stream(table).map(double[]::clone).toArray(double[][]::new);
  }

  /** The score of a column at a step, in [0, 1]: a branch's, or behind all branches a run's. */
  public double score(int step, int column) {
    return scores[step][column];
  }

  /** Whether the step computes the branch. */
  public boolean computes(int step, int branch) {
    return scores[step][branch] > threshold;
  }

  /** Whether the step reuses a branch as a part of a run. */
  public boolean isUnderRun(int step, int branch) {
    return table().run(step, branch).isPresent();
  }

  /**
   * Whether the step makes a column's output anew: of a run, where it computes all its branches.
   */
  boolean makes(int step, int column) {
    return column < branches.size()
        ? computes(step, column)
        : runs.get(column - branches.size()).branches().allMatch(b -> computes(step, b));
  }

  /** Whether the step reads outputs of a column that earlier ones made. */
  boolean reads(int step, int column) {
    return !(scores[step][column] > threshold)
        && (column >= branches.size() || !isUnderRun(step, column));
  }

  private RouterTable table() {
    return new RouterTable(branches, runs, threshold, scores);
  }

  /** Which branches are computed: {@code [steps][branches]}. */
  public boolean[][] computes() {
    var computes = new boolean[steps][branches.size()];
    for (int s = 0; s < steps; s++) {
      for (int b = 0; b < branches.size(); b++) {
        computes[s][b] = computes(s, b);
      }
    }
    return computes;
  }

  /**
   * The digest of the weights that it was trained on, where these are others; policies were trained
   * on none.
   */
  public Optional<String> otherWeights(String digest) {
    String trained = training.path("checkpoint").asText("");
    return trained.isEmpty() || trained.equals(digest) ? Optional.empty() : Optional.of(trained);
  }

  /** What it is there for in its family; see {@link Tiers}. */
  public Optional<String> tier() {
    return Tiers.of(training);
  }

  /** Refuses a model whose name or branches are not the ones this router was made for. */
  public void requireFits(String otherModel, List<String> otherBranches) {
    if (!model.equals(otherModel)) {
      throw new HarmonicaException(
          "router '%s' is for model '%s', but this model is '%s': make or train one for it"
              .formatted(name, model, otherModel));
    }
    if (branches.size() != otherBranches.size()) {
      throw new HarmonicaException(
          "router '%s' has %d branches, but model '%s' has %d: it was made for another depth"
              .formatted(name, branches.size(), otherModel, otherBranches.size()));
    }
    for (int b = 0; b < branches.size(); b++) {
      if (!branches.get(b).equals(otherBranches.get(b))) {
        throw new HarmonicaException(
            "branch %d is '%s' in router '%s', but '%s' in model '%s': it was made for another model"
                .formatted(b, branches.get(b), name, otherBranches.get(b), otherModel));
      }
    }
  }

  /** Whether a name can be a Triton model's, and so a folder's. */
  public static boolean isName(String name) {
    return name.length() <= MAX_NAME && NAME.matcher(name).matches();
  }

  private static void requireName(String field, String name) {
    if (!isName(name)) {
      throw new IllegalArgumentException(
          "%s is '%s', expected at most %d of the characters A-Z a-z 0-9 . _ - with no dot or dash first, no dot last"
              .formatted(field, name, MAX_NAME));
    }
  }

  private static void requireTimesteps(int steps, Timesteps timesteps) {
    if (steps < 1 || steps > 1000) {
      throw new IllegalArgumentException("steps is %d, expected 1..1000".formatted(steps));
    }
    if (timesteps.size() != steps) {
      throw new IllegalArgumentException(
          "timesteps has %d entries, expected steps = %d".formatted(timesteps.size(), steps));
    }
    for (int s = 0; s < steps; s++) {
      boolean falls = s == 0 || timesteps.get(s) < timesteps.get(s - 1);
      if (!(falls && timesteps.get(s) >= 0 && timesteps.get(s) <= MOST_TIME)) {
        throw new IllegalArgumentException(
            "timesteps[%d] is %s, expected %s"
                .formatted(
                    s,
                    timesteps.text(s),
                    s == 0
                        ? "0..1000"
                        : "less than %s, and 0 at least".formatted(timesteps.text(s - 1))));
      }
    }
  }

  private static void requireBranches(List<String> branches) {
    if (branches.isEmpty()) {
      throw new IllegalArgumentException("branches is empty, expected at least one name");
    }
    var seen = new HashSet<String>();
    for (String branch : branches) {
      requireName("a branch", branch);
      if (!seen.add(branch)) {
        throw new IllegalArgumentException("branch '%s' is listed twice".formatted(branch));
      }
    }
  }
}
