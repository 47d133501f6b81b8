package io.harmonica.model;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * The scales that are known beforehand of what linear maps in 8 bits read. Where none is, each
 * token has its own.
 */
public interface InputScales {
  /** None is known. */
  InputScales NONE = weight -> Optional.empty();

  /**
   * What a code of a map's input is worth; asked for the number only where it is written.
   *
   * @param weight of the map
   */
  Optional<Supplier<Float>> of(String weight);
}
