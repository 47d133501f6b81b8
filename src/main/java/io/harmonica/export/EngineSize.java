package io.harmonica.export;

import io.harmonica.InvalidProperty;

/** How much of a pass an engine covers. */
public sealed interface EngineSize {
  /** A branch: each has its weights once, whatever routers do; every router can be deployed. */
  EngineSize BRANCH = new Branch();

  /** The whole step: one engine a route. */
  EngineSize STEP = new Step();

  /** So many blocks. */
  static EngineSize ofBlocks(int blocks) {
    return new Blocks(blocks);
  }

  /** One branch. */
  record Branch() implements EngineSize {}

  /** Consecutive blocks, in as many variants as routers need. */
  record Blocks(int count) implements EngineSize {
    public Blocks {
      if (count < 1) {
        throw new InvalidProperty(
            "blocksPerEngine", "%d must be positive, or all".formatted(count));
      }
    }
  }

  /** Everything. */
  record Step() implements EngineSize {}
}
