package io.harmonica.generate;

import io.harmonica.runtime.Tensor;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Consumer;

/** Tensors of a call by name, while they are made: none is left open where one cannot be. */
final class Inputs {
  private Inputs() {}

  /**
   * What a maker puts into a map; the caller closes them. Where the maker throws, those that are
   * there are closed.
   */
  static Map<String, Tensor> of(Consumer<Map<String, Tensor>> maker) {
    Map<String, Tensor> made = new HashMap<>();
    try {
      maker.accept(made);
      return made;
    } catch (RuntimeException | Error e) {
      made.values().forEach(Tensor::close);
      throw e;
    }
  }
}
