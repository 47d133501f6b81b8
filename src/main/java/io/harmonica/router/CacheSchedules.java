package io.harmonica.router;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads schedules that other projects keep as JSON: for each step, in the order of execution, 1 to
 * compute and 0 to take from the cache.
 */
public enum CacheSchedules {
  /**
   * SmoothCache (arXiv 2411.10510; Roblox/SmoothCache): an object of lists of steps, by component
   * of all blocks ({@code "attn"}, {@code "ff"}) or of one ({@code "attn-3"}). A component that it
   * does not name is always computed.
   */
  SMOOTHCACHE {
    @Override
    Table table(JsonNode root, List<String> branches) {
      Map<String, List<Boolean>> rows = new LinkedHashMap<>(); // by kind, or by branch
      root.properties()
          .forEach(
              field -> {
                for (String name : named(field.getKey(), branches)) {
                  if (rows.put(name, steps(field.getValue(), field.getKey())) != null) {
                    throw new IllegalArgumentException(
                        "two schedules are for %s, \"%s\" the second"
                            .formatted(name, field.getKey()));
                  }
                }
              });
      int steps = common(rows);
      boolean[][] computes = new boolean[steps][branches.size()];
      for (int s = 0; s < steps; s++) {
        for (int b = 0; b < branches.size(); b++) {
          List<Boolean> row = rows.get(branches.get(b));
          computes[s][b] = row == null || row.get(s);
        }
      }
      return new Table(computes, List.of());
    }
  },

  /**
   * cache-dit (vipshop/cache-dit, {@code DBCacheConfig}): an object with {@code
   * steps_computation_mask} and {@code "steps_computation_policy": "static"}. All blocks between
   * the first {@code Fn_compute_blocks} and the last {@code Bn_compute_blocks} are one run: cached
   * is what they change.
   */
  CACHE_DIT {
    @Override
    Table table(JsonNode root, List<String> branches) {
      root.fieldNames()
          .forEachRemaining(
              field -> {
                if (!READ.contains(field) && !INERT.contains(field)) {
                  throw new IllegalArgumentException(
                      "field \"%s\" is not followed, expected only %s"
                          .formatted(field, String.join(", ", READ)));
                }
              });
      if (!root.path(POLICY).asText("dynamic").equals("static")) {
        throw new IllegalArgumentException(
            "%s is %s, expected \"static\": whether a dynamic step is cached, cache-dit decides while it runs"
                .formatted(
                    POLICY, root.has(POLICY) ? root.get(POLICY) : "missing, so \"dynamic\""));
      }
      List<Boolean> mask = steps(root.path(MASK), MASK);
      int stated = root.path(STEPS).asInt(mask.size());
      if (stated != mask.size()) {
        throw new IllegalArgumentException(
            "%s has %d steps, %s says %d".formatted(MASK, mask.size(), STEPS, stated));
      }
      List<Run> blocks = Grain.RUN.runs(branches);
      int front = root.path(FRONT).asInt(8); // cache-dit's own default
      int back = root.path(BACK).asInt(0);
      if (front < 0 || back < 0 || front + back >= blocks.size()) {
        throw new IllegalArgumentException(
            "%s %d and %s %d leave nothing of %d blocks to cache"
                .formatted(FRONT, front, BACK, back, blocks.size()));
      }
      Run run = new Run(blocks.get(front).first(), blocks.get(blocks.size() - back - 1).last());
      boolean[][] computes = new boolean[mask.size()][branches.size()];
      for (int s = 0; s < computes.length; s++) {
        Arrays.fill(computes[s], true);
        if (!mask.get(s)) {
          Arrays.fill(computes[s], run.first(), run.last() + 1, false);
        }
      }
      return new Table(computes, List.of(run));
    }
  };

  private static final String MASK = "steps_computation_mask";
  private static final String POLICY = "steps_computation_policy";
  private static final String STEPS = "num_inference_steps";
  private static final String FRONT = "Fn_compute_blocks";
  private static final String BACK = "Bn_compute_blocks";
  private static final List<String> READ = List.of(MASK, POLICY, STEPS, FRONT, BACK);

  /** What a static mask overrides, or what two passes for guidance would need. */
  private static final Set<String> INERT =
      Set.of(
          "cache_type",
          "residual_diff_threshold",
          "max_accumulated_residual_diff_threshold",
          "max_warmup_steps",
          "warmup_interval",
          "max_cached_steps",
          "max_continuous_cached_steps",
          "enable_separate_cfg",
          "cfg_compute_first",
          "cfg_diff_compute_separate");

  private static final long MOST_BYTES = 16 << 20;
  private static final Pattern COMPONENT = Pattern.compile("([a-z]+\\d?)(?:-(\\d+))?");

  /** Components as facebook's DiT and diffusers call them, and the branches that they are. */
  private static final Map<String, String> KINDS =
      Map.of(
          "attn",
          "attention",
          "attn1",
          "attention",
          "attn2",
          "cross_attention",
          "mlp",
          "mlp",
          "ff",
          "mlp");

  /**
   * A schedule.
   *
   * @param computes {@code [steps][branches]}; row 0 is executed first
   * @param runs that are reused as one where all their branches are
   */
  public record Table(boolean[][] computes, List<Run> runs) {

    /** As a router has it: 1 computes, 0 reuses, runs behind the branches. */
    public double[][] scores() {
      double[][] scores = new double[computes.length][];
      for (int s = 0; s < scores.length; s++) {
        boolean[] row = computes[s];
        scores[s] = new double[row.length + runs.size()];
        for (int c = 0; c < scores[s].length; c++) {
          boolean isComputed =
              c < row.length
                  ? row[c]
                  : runs.get(c - row.length).branches().anyMatch(branch -> row[branch]);
          scores[s][c] = isComputed ? 1 : 0;
        }
      }
      return scores;
    }
  }

  /** The name that the command line knows it by. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  abstract Table table(JsonNode root, List<String> branches);

  /**
   * Reads a file.
   *
   * @param branches of the model, names in execution order
   * @throws HarmonicaException for any fault in it, naming the file
   */
  public Table read(Path file, List<String> branches) {
    try {
      if (Files.size(file) > MOST_BYTES) {
        throw new IllegalArgumentException(
            "%d bytes, expected at most %d".formatted(Files.size(file), MOST_BYTES));
      }
      JsonNode root = RouterReader.MAPPER.readTree(Files.readString(file));
      if (!root.isObject()) {
        throw new IllegalArgumentException("found no JSON object");
      }
      return table(root, branches);
    } catch (IllegalArgumentException e) {
      throw new HarmonicaException(
          "%s is no schedule of %s for this model: %s".formatted(file, this, e.getMessage()), e);
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no schedule of %s: no valid JSON".formatted(file, this), e);
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(file, AtomicFile.reason(e)), e);
    }
  }

  /** The branches that a component is. */
  private static List<String> named(String component, List<String> branches) {
    Matcher parts = COMPONENT.matcher(component);
    String kind = parts.matches() ? KINDS.get(parts.group(1)) : null;
    List<String> named =
        branches.stream()
            .filter(branch -> branch.endsWith("." + kind))
            .filter(
                branch ->
                    parts.group(2) == null
                        || Policy.block(branch)
                            .equals("block%02d".formatted(Integer.parseInt(parts.group(2)))))
            .toList();
    if (named.isEmpty()) {
      throw new IllegalArgumentException(
          "\"%s\" is no component of its blocks, expected attn, attn1, attn2, mlp or ff, or one with its block as attn-3"
              .formatted(component));
    }
    return named;
  }

  private static int common(Map<String, List<Boolean>> rows) {
    if (rows.isEmpty()) {
      throw new IllegalArgumentException("it names no component");
    }
    Map.Entry<String, List<Boolean>> first = rows.entrySet().iterator().next();
    rows.forEach(
        (name, row) -> {
          if (row.size() != first.getValue().size()) {
            throw new IllegalArgumentException(
                "%s has %d steps and %s %d, expected as many"
                    .formatted(first.getKey(), first.getValue().size(), name, row.size()));
          }
        });
    return first.getValue().size();
  }

  private static List<Boolean> steps(JsonNode node, String where) {
    if (!node.isArray() || node.isEmpty()) {
      throw new IllegalArgumentException(
          "\"%s\" is no list of steps, expected 1 and 0 for each".formatted(where));
    }
    List<Boolean> steps = new ArrayList<>();
    for (JsonNode step : node) {
      if (!step.isInt() || step.intValue() < 0 || step.intValue() > 1) {
        throw new IllegalArgumentException(
            "\"%s\" has %s at step %d, expected 1 or 0".formatted(where, step, steps.size()));
      }
      steps.add(step.intValue() == 1);
    }
    if (!steps.get(0)) {
      throw new IllegalArgumentException(
          "\"%s\" reuses at step 0, where nothing is cached yet".formatted(where));
    }
    return steps;
  }
}
