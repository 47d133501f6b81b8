package io.harmonica.export;

import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.repository.Role;
import io.harmonica.router.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * One ONNX or TensorRT model: a part of the pass in one variant. For example block 3 of a DiT with
 * its attention computed and its MLP reused from the last output: branches {@code [6, 7]},
 * histories {@code [0, 1]}.
 *
 * @param embed whether it begins with the tokens
 * @param condition whether it computes what depends on timestep and condition only
 * @param branches the branches it covers, as indices, in execution order
 * @param histories for each of them: 0 computes, k reuses the last k outputs
 * @param head whether it ends with the head
 */
record Engine(
    boolean embed,
    boolean condition,
    List<Integer> branches,
    List<Integer> histories,
    boolean head) {
  private static final Engine EMBED = new Engine(true, false, List.of(), List.of(), false);
  private static final Engine CONDITION = new Engine(false, true, List.of(), List.of(), false);
  private static final Engine HEAD = new Engine(false, false, List.of(), List.of(), true);

  /**
   * Cuts a pass into engines.
   *
   * @param blocksPerEngine blocks of one engine; 0 puts the whole step into one
   */
  static List<Engine> of(Denoiser model, Route route, int blocksPerEngine) {
    List<Branch> all = model.branches();
    if (blocksPerEngine == 0) {
      List<Integer> everything = IntStream.range(0, all.size()).boxed().toList();
      return List.of(new Engine(true, true, everything, route.histories(), true));
    }
    List<Engine> engines = new ArrayList<>();
    engines.add(CONDITION);
    engines.add(EMBED);
    IntStream.range(0, all.size())
        .boxed()
        .collect(
            Collectors.groupingBy(
                i -> all.get(i).block() / blocksPerEngine, TreeMap::new, Collectors.toList()))
        .values()
        .forEach(
            group ->
                engines.add(
                    new Engine(
                        false,
                        false,
                        group,
                        group.stream().map(route.histories()::get).toList(),
                        false)));
    engines.add(HEAD);
    return engines;
  }

  /** The same stretch with every branch computed: it holds the weights of every variant. */
  Engine computed() {
    return new Engine(embed, condition, branches, branches.stream().map(i -> 0).toList(), head);
  }

  boolean forecasts() {
    return histories.stream().anyMatch(history -> history > 1);
  }

  /** What it is there for, which its configuration states. */
  Role role(Denoiser model) {
    if (branches.isEmpty()) {
      return Role.of(embed ? Role.Kind.EMBED : condition ? Role.Kind.CONDITION : Role.Kind.HEAD);
    }
    String variant =
        histories.stream().map(h -> h == 0 ? "c" : h.toString()).collect(Collectors.joining());
    if (embed) {
      return Role.step(variant);
    }
    int first = model.branches().get(branches.get(0)).block();
    int last = model.branches().get(branches.get(branches.size() - 1)).block();
    String blocks = last == first ? "%02d" : "%02d-%02d";
    return Role.block(String.format(Locale.ROOT, blocks, first, last), variant);
  }
}
