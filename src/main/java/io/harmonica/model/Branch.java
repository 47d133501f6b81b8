package io.harmonica.model;

import java.util.Locale;

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

  /** The name of a block, for example {@code block07}. */
  public static String blockName(int block) {
    return String.format(Locale.ROOT, "block%02d", block);
  }
}
