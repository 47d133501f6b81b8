package io.harmonica.origin;

import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.model.UVitSchedule;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What a checkpoint does not say, or leaves free.
 *
 * @param heads attention heads, where the file does not say; else they must agree
 * @param resolution of the pictures (default: what the model was trained for)
 * @param textTokens tokens of a prompt, padding included (default: by the model's origin)
 * @param pixelsPerElement of its autoencoder, where one is at hand
 * @param schedule that a U-ViT was trained on, where its file does not say
 * @param noNullClass whether a DiT was trained without class dropout, so that its label table has
 *     no row to guide away from
 */
public record Choices(
    OptionalInt heads,
    Optional<Resolution> resolution,
    OptionalInt textTokens,
    OptionalInt pixelsPerElement,
    Optional<UVitSchedule> schedule,
    boolean noNullClass) {

  /** Everything by default. */
  public static final Choices NONE =
      new Choices(
          OptionalInt.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          false);

  public Choices withHeads(OptionalInt count) {
    return new Choices(count, resolution, textTokens, pixelsPerElement, schedule, noNullClass);
  }

  public Choices withResolution(Resolution other) {
    return new Choices(
        heads, Optional.of(other), textTokens, pixelsPerElement, schedule, noNullClass);
  }

  public Choices withTextTokens(int count) {
    return new Choices(
        heads, resolution, OptionalInt.of(count), pixelsPerElement, schedule, noNullClass);
  }

  public Choices withPixelsPerElement(int side) {
    return new Choices(heads, resolution, textTokens, OptionalInt.of(side), schedule, noNullClass);
  }

  public Choices withSchedule(UVitSchedule stated) {
    return new Choices(
        heads, resolution, textTokens, pixelsPerElement, Optional.of(stated), noNullClass);
  }

  public Choices withNoNullClass(boolean none) {
    return new Choices(heads, resolution, textTokens, pixelsPerElement, schedule, none);
  }

  /** The autoencoder's, or what is usual. */
  int pixelsPerElement(int channels) {
    return pixelsPerElement.orElseGet(() -> Denoiser.Interface.usualPixelsPerElement(channels));
  }
}
