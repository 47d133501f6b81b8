package io.harmonica.export;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Change;
import io.harmonica.repository.Names;
import io.harmonica.repository.Role;
import io.harmonica.router.Route;
import io.harmonica.router.Run;
import java.util.List;
import java.util.Map;

/**
 * One ONNX or TensorRT model: a part of the pass, or what stands for one. For example block 3 of a
 * DiT with its attention computed and its MLP reused from the last output is {@code Blocks} from
 * branch 6 in variant {@code c1}.
 */
sealed interface Engine {
  /** What it is there for, which its configuration states. */
  Role role();

  /** Writes it down. */
  void draw(EngineGraph graph);

  /** The engine that holds the weights of this one and of all others of its kind: itself. */
  default Engine computed() {
    return this;
  }

  /**
   * Refuses a size that fewer blocks would keep to.
   *
   * @param bytes of its weights
   * @param most that it may have, unless a block alone has more
   */
  default void requireFits(long bytes, long most) {}

  /** Whether it needs no sample. */
  default boolean isAhead() {
    return false;
  }

  /**
   * What depends on timestep and condition only.
   *
   * @param names of what it makes
   */
  record Condition(Role role, List<String> names) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.condition(names);
    }

    @Override
    public boolean isAhead() {
      return true;
    }
  }

  /** The sample as tokens. */
  record Embed(Role role) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.embed();
    }
  }

  /** The prediction. */
  record Head(Role role) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.head();
    }
  }

  /**
   * Consecutive blocks.
   *
   * @param first index of their first branch
   */
  record Blocks(Role role, int first) implements Engine {
    @Override
    public void requireFits(long bytes, long most) {
      String[] ends = role.blocks().split("-");
      int blocks = Integer.parseInt(ends[ends.length - 1]) - Integer.parseInt(ends[0]) + 1;
      if (bytes > most && blocks > 1) {
        throw new HarmonicaException(
            "engine %s has %.2f GB of weights, more than %.2f GB, which not every backend and file system takes in one file: export it with `blocksPerEngine` %d"
                .formatted(
                    Names.engine(role),
                    bytes / 1e9,
                    most / 1e9,
                    Math.max(1, blocks * most / bytes)));
      }
    }

    @Override
    public void draw(EngineGraph graph) {
      String variant = role.variant();
      int from = (int) variant.chars().takeWhile(c -> c == 'x').count();
      int end = from;
      while (end < variant.length() && variant.charAt(end) != 'x') {
        end++;
      }
      graph.blocks(
          first + from,
          variant.substring(from, end).chars().mapToObj(c -> c == 'c' ? 0 : c - '0').toList());
    }

    @Override
    public Engine computed() {
      return new Blocks(role.withVariant("c".repeat(role.variant().length())), first);
    }
  }

  /**
   * A whole step.
   *
   * @param changes of the route's runs
   */
  record Step(Role role, Route route, Map<Run, Change> changes) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.step(route, changes);
    }

    @Override
    public Engine computed() {
      Route full = Route.full(route.branches());
      return new Step(role.withVariant(full.variant()), full, Map.of());
    }

    /** Those of one variant are the same: which outputs are stored is the ensemble's. */
    @Override
    public boolean equals(Object other) {
      return other instanceof Step whole && role.equals(whole.role);
    }

    @Override
    public int hashCode() {
      return role.hashCode();
    }
  }

  /** What a block does before its branches. */
  record Enter(Role role, int block) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.enter(block);
    }
  }

  /** One branch, computed. */
  record Alone(Role role, int branch) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.branch(branch);
    }
  }

  /**
   * Cached outputs of a branch, added as it adds its own.
   *
   * @param branch one of those that it serves
   */
  record Reused(Role role, int branch) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.reused(branch, Integer.parseInt(role.variant()));
    }
  }

  /** Cached outputs of a run, added. */
  record Added(Role role, Change change) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.added(change, Integer.parseInt(role.variant()));
    }
  }

  /** The output of a run. */
  record Changed(Role role, Change change) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.changed(change);
    }
  }

  /** The weights of reused outputs, branch by branch. */
  record WeightsOfBranches(Role role) implements Engine {
    @Override
    public void draw(EngineGraph graph) {
      graph.weights();
    }
  }
}
