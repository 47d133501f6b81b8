package io.harmonica;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.math.BigDecimal;
import java.util.List;
import java.util.stream.Collectors;

/**
 * The times that a model is given, step by step, the noisiest first. Diffusion models count whole
 * training timesteps, 999 to 0; flow models take any time up to 1000.
 */
public record Timesteps(List<Double> values) {
  public Timesteps {
    values = List.copyOf(values);
  }

  /** Of whole timesteps. */
  public static Timesteps of(List<Integer> whole) {
    return new Timesteps(whole.stream().map(Integer::doubleValue).toList());
  }

  /** As JSON has them, whole and decimal ones mixed. */
  @JsonCreator
  static Timesteps ofNumbers(List<Double> numbers) {
    return new Timesteps(numbers);
  }

  public int size() {
    return values.size();
  }

  public double get(int step) {
    return values.get(step);
  }

  private boolean isWhole(int step) {
    return get(step) == Math.rint(get(step));
  }

  /** Whether whole numbers say them all. */
  public boolean areWhole() {
    return values.stream().allMatch(value -> value == Math.rint(value));
  }

  /**
   * A timestep for a model that takes whole ones.
   *
   * @throws HarmonicaException if it is none
   */
  public long whole(int step) {
    if (!isWhole(step)) {
      throw new HarmonicaException(
          "timestep %s of step %d is not whole, and the model takes whole ones: use a sampler that was made for it"
              .formatted(text(step), step));
    }
    return (long) get(step);
  }

  /** A timestep as files and messages have it: whole ones without a point. */
  public String text(int step) {
    return text(get(step));
  }

  private static String text(double value) {
    return BigDecimal.valueOf(value).stripTrailingZeros().toPlainString();
  }

  @JsonValue
  List<Number> numbers() {
    return values.stream()
        .map(value -> value == Math.rint(value) ? (Number) value.longValue() : (Number) value)
        .toList();
  }

  /** For example {@code [999, 749.5, 500]}. */
  @Override
  public String toString() {
    return values.stream().map(Timesteps::text).collect(Collectors.joining(", ", "[", "]"));
  }
}
