package io.harmonica.model;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * One residual contribution of a block, the unit that a router computes or reuses.
 *
 * @param block index of the block, from 0
 * @param kind what the branch is: {@code attention}, {@code mlp}, {@code cross_attention}
 */
public record Branch(int block, String kind) {

  /** The name that routers, engines and caches use, for example {@code block07.attention}. */
  public String name() {
    return blockName(block) + "." + kind;
  }

  /**
   * Those of alike blocks, from one to before another, in execution order.
   *
   * @param kinds of each block
   */
  static List<Branch> ofBlocks(int from, int end, String... kinds) {
    return IntStream.range(from, end)
        .boxed()
        .flatMap(block -> Arrays.stream(kinds).map(kind -> new Branch(block, kind)))
        .toList();
  }

  /** The name of a block, for example {@code block07}. */
  public static String blockName(int block) {
    return String.format(Locale.ROOT, "block%02d", block);
  }
}
