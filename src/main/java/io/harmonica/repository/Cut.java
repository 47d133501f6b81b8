package io.harmonica.repository;

import io.harmonica.model.StreamLives;
import io.harmonica.router.Route;
import io.harmonica.router.Run;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A step cut into engines: those that the uncached step runs, and which run instead on a route.
 * Export and deployment chain engines by it, so that both make the same ensembles.
 *
 * <p>For example: of the uncached step's {@code [embed, block00-cc, block01-cc, head]}, a route
 * that reuses the last output of {@code block01.mlp} and computes the rest runs {@code [embed,
 * block00-cc, block01-c1, head]}; one that reuses all blocks as a run {@code [embed, run-hidden-1,
 * head]}. Where each branch has an engine, {@code [..., block01.attention, block01.mlp, ...]}
 * becomes {@code [..., block01.attention, reuse-mlp-1, ...]}.
 *
 * @param pieces engines of the uncached step, in order
 * @param branches names in execution order
 */
public record Cut(List<Role> pieces, List<String> branches) {

  /**
   * An engine in its turn.
   *
   * @param place whose tensors its ports are
   * @param first index of the first branch that the engine or, in pieces, its blocks cover
   */
  public record Turn(Role role, Place place, int first) {}

  public Cut {
    pieces = List.copyOf(pieces);
    branches = List.copyOf(branches);
    int covered = pieces.stream().mapToInt(Cut::branches).sum();
    if (covered != branches.size()) {
      throw new IllegalArgumentException(
          "engines for %d branches, expected %d".formatted(covered, branches.size()));
    }
  }

  /** The engines of a route, in order. */
  public List<Turn> of(Route route) {
    return new Walk(route).turns();
  }

  /** What a run changes: the hidden state, and other streams that anything behind it needs. */
  public List<StreamLives.Stream> streams(Run run) {
    return pieces.stream()
        .filter(piece -> piece.kind() == Role.Kind.EMBED)
        .findFirst()
        .map(piece -> StreamLives.parse(piece.shape()))
        .orElseGet(() -> new StreamLives(Map.of()))
        .changed(run.first(), run.last());
  }

  private static int branches(Role piece) {
    return piece.kind() == Role.Kind.BRANCH ? 1 : piece.variant().length();
  }

  /** Which runs engines without weights fit, by the streams that these change. */
  public static String shape(List<StreamLives.Stream> streams) {
    return StreamLives.Stream.shared(streams).stream()
        .map(stream -> stream.name() + (stream.isNew() ? "_new" : ""))
        .collect(Collectors.joining("-"));
  }

  /** One way through the pieces. */
  private final class Walk {
    private final Route route;
    private final List<Turn> turns = new ArrayList<>();
    private final Set<Integer> ends = new TreeSet<>(); // where what is left out or a run ends
    private final Map<Integer, Integer> since = new HashMap<>(); // turns before a stored run
    private int at; // branch
    private int arrived = -1;

    Walk(Route route) {
      this.route = route;
      for (int r = 0; r < route.runs().size(); r++) {
        if (route.runHistory(r) > 0 || route.storesRun(r)) {
          ends.add(route.runs().get(r).first());
          ends.add(route.runs().get(r).last() + 1);
        }
      }
      for (int b = 1; b < branches.size(); b++) {
        if (isLeftOut(b) != isLeftOut(b - 1)) {
          ends.add(b);
        }
      }
    }

    List<Turn> turns() {
      if (pieces.size() == 1) { // the whole step, with its runs
        return List.of(new Turn(pieces.get(0).withVariant(route.variant()), Place.OWN, 0));
      }
      boolean byBranch = pieces.stream().anyMatch(p -> p.kind() == Role.Kind.BRANCH);
      if (byBranch && route.forecastsBranches()) {
        add(Role.of(Role.Kind.WEIGHTS), Place.OWN);
      }
      for (Role piece : pieces) {
        if (piece.kind() == Role.Kind.ENTER) {
          arrive();
          if (!isLeftOut(at)) {
            add(piece, Place.OWN);
          }
        } else if (branches(piece) == 0) {
          add(piece, Place.OWN);
        } else {
          blocks(piece);
        }
      }
      return turns;
    }

    /** In as many engines as runs, and what is left out, leave. */
    private void blocks(Role piece) {
      int first = at;
      int end = at + branches(piece);
      while (at < end) {
        arrive();
        int until = at + 1;
        while (until < end && !ends.contains(until)) {
          until++;
        }
        if (!isLeftOut(at)) {
          if (piece.kind() == Role.Kind.BRANCH) {
            branch(piece);
          } else {
            turns.add(new Turn(variant(piece, first, end, until), Place.OWN, first));
          }
        }
        at = until;
        leave();
      }
    }

    private void branch(Role role) {
      int history = route.histories().get(at);
      if (history == 0) {
        add(role, Place.OWN);
        return;
      }
      String branch = branches.get(at);
      String block = branch.substring(0, branch.indexOf('.'));
      add(role.reuse(history), Place.of(block, branch));
    }

    /** Of the blocks from first to end, with nothing done outside of the branches in turn. */
    private Role variant(Role role, int first, int end, int until) {
      return role.withVariant(
          IntStream.range(first, end)
              .mapToObj(b -> b < at || b >= until ? "x" : "" + route.variant(b))
              .collect(Collectors.joining()));
    }

    /** Before anything of the next branch's runs. */
    private void arrive() {
      if (arrived == at) {
        return;
      }
      arrived = at;
      for (int r = 0; r < route.runs().size(); r++) {
        if (route.runs().get(r).first() == at) {
          since.put(r, turns.size());
          if (route.runHistory(r) > 0) {
            add(Role.run(shape(r), route.runHistory(r)), place(r));
          }
        }
      }
    }

    private void leave() {
      for (int r = 0; r < route.runs().size(); r++) {
        if (route.runs().get(r).last() + 1 == at && route.storesRun(r)) {
          add(Role.change(shape(r)), place(r));
        }
      }
    }

    private String shape(int run) {
      return Cut.shape(streams(route.runs().get(run)));
    }

    private Place place(int run) {
      Run own = route.runs().get(run);
      return Place.of(own.name(branches), since.get(run), streams(own));
    }

    private boolean isLeftOut(int branch) {
      return route.histories().get(branch) == Route.LEFT_OUT;
    }

    private void add(Role role, Place place) {
      turns.add(new Turn(role, place, at));
    }
  }
}
