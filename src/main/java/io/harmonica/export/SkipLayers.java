package io.harmonica.export;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.router.Stretch;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A pass without some blocks, through which all streams pass unchanged: what skip-layer guidance
 * leads away from.
 *
 * @param model that it is of
 * @param blocks that are left out, in order
 */
record SkipLayers(Denoiser model, List<Integer> blocks) {

  /**
   * Of a model.
   *
   * @throws HarmonicaException if it is not guided so, or has no such blocks
   */
  SkipLayers(Denoiser model, Set<Integer> blocks) {
    this(model, List.copyOf(new TreeSet<>(blocks)));
    if (!model.takesSkipLayers()) {
      throw new HarmonicaException(
          "`skipLayers` %s is for Stable Diffusion 3, which is guided by a pass without some blocks, and this is %s: leave it out"
              .formatted(words(), model.architecture()));
    }
    int depth = 1 + model.branches().stream().mapToInt(Branch::block).max().orElseThrow();
    if (blocks.isEmpty() || blocks.stream().anyMatch(block -> block < 0 || block >= depth)) {
      throw new HarmonicaException(
          "`skipLayers` %s must name some of the blocks 0..%d of %s"
              .formatted(words(), depth - 1, model.architecture()));
    }
    if (blocks.size() == depth) {
      throw new HarmonicaException(
          "`skipLayers` %s leaves out all blocks of %s: name some"
              .formatted(words(), model.architecture()));
    }
  }

  private String words() {
    return blocks.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** The step. */
  Stretch step() {
    List<Branch> branches = model.branches();
    return Stretch.without(
        branches.size(),
        IntStream.range(0, branches.size())
            .filter(branch -> blocks.contains(branches.get(branch).block()))
            .boxed()
            .collect(Collectors.toSet()));
  }
}
