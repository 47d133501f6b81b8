package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.DitPresets;
import io.harmonica.model.Flops;
import io.harmonica.model.PixArt;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shapes;
import io.harmonica.model.UVit;
import io.harmonica.model.UVitPresets;
import io.harmonica.model.Weights;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Recognises what a checkpoint holds: a model's definition, and the parameters to fill it. How to
 * add a model is in docs/EXTENDING.md.
 *
 * @param notes what was taken for granted of the checkpoint, to be told once
 */
public record Model(Denoiser denoiser, Weights weights, List<String> notes) {

  /** Of a checkpoint that says everything. */
  Model(Denoiser denoiser, Weights weights) {
    this(denoiser, weights, List.of());
  }

  /**
   * Finds out what a checkpoint holds and checks that every parameter is there in its shape, and
   * nothing else in what is read.
   *
   * @param heads attention heads, where the file does not say; else they must agree
   */
  public static Model of(Checkpoint checkpoint, OptionalInt heads) {
    return of(checkpoint, Choices.NONE.withHeads(heads));
  }

  /** The same, with whatever else a checkpoint leaves free. */
  public static Model of(Checkpoint checkpoint, Choices choices) {
    Unread.TRANSFORMER.refuseWrapped(checkpoint);
    Model model = recognise(checkpoint, choices);
    model.flops();
    model.weights().requireNothingElse();
    return model;
  }

  /**
   * A published structure without parameters: {@code DiT-XL/2}, {@code PixArt-XL/2}, {@code
   * U-ViT-H/2} ...
   */
  public static Model named(String architecture) {
    Optional<UVit> uVit = UVitPresets.named(architecture);
    Denoiser published =
        uVit.isPresent()
            ? uVit.get()
            : architecture.equals(PixArt.XL) ? PixArt.xl() : DitPresets.named(architecture);
    return new Model(published, Weights.NONE);
  }

  /**
   * Checks that this is the architecture that its user named.
   *
   * @param path of the checkpoint, for the message
   */
  public void requireArchitecture(String name, Path path) {
    named(name); // names the known ones
    if (!denoiser.architecture().equals(name)) {
      throw new HarmonicaException(
          "%s holds a %s, not the `architecture` %s"
              .formatted(path, denoiser.architecture(), name));
    }
  }

  /** FLOPs of one pass. */
  public Flops flops() {
    return Shapes.flops(denoiser, weights);
  }

  private static Model recognise(Checkpoint checkpoint, Choices choices) {
    if (UVitCheckpoint.isOne(checkpoint)) {
      return UVitCheckpoint.of(checkpoint, choices);
    }
    requireNoSchedule(choices);
    if (FluxCheckpoint.isOne(checkpoint)) {
      requireNoLabels(choices, "a FLUX");
      return FluxCheckpoint.of(checkpoint, choices);
    }
    if (Sd3Checkpoint.isOne(checkpoint)) {
      requireNoLabels(choices, "a Stable Diffusion 3");
      return Sd3Checkpoint.of(checkpoint, choices);
    }
    if (PixArtStateDict.isOne(checkpoint)) {
      return PixArtStateDict.of(checkpoint, choices);
    }
    if (checkpoint.config().isEmpty()) {
      if (checkpoint.names().stream().anyMatch(name -> name.startsWith("transformer_blocks.0."))) {
        throw new HarmonicaException(
            "%s has a diffusers model's weights but no config.json beside them: add the one it was published with"
                .formatted(checkpoint.path()));
      }
      return unchanged(DitCheckpoint.facebook(checkpoint, choices), choices);
    }
    return configured(checkpoint, checkpoint.config().get(), choices);
  }

  private static Model configured(Checkpoint checkpoint, JsonNode config, Choices choices) {
    String type = config.path("_class_name").asText();
    String norm = config.path("norm_type").asText();
    boolean old = type.equals("Transformer2DModel");
    if (type.equals("DiTTransformer2DModel") || (old && norm.equals("ada_norm_zero"))) {
      return unchanged(DitCheckpoint.diffusers(checkpoint, config, choices), choices);
    }
    if (type.equals("PixArtTransformer2DModel") || (old && norm.equals("ada_norm_single"))) {
      requireNoLabels(choices, "a PixArt");
      return PixArtCheckpoint.of(checkpoint, config, choices);
    }
    throw new HarmonicaException(
        "%s/config.json: field _class_name is '%s'%s; supported: FluxTransformer2DModel, SD3Transformer2DModel, DiTTransformer2DModel and PixArtTransformer2DModel (or Transformer2DModel with norm_type ada_norm_zero or ada_norm_single)"
            .formatted(
                checkpoint.path(), type, norm.isEmpty() ? "" : " with norm_type '" + norm + "'"));
  }

  private static void requireNoSchedule(Choices choices) {
    if (choices.schedule().isPresent()) {
      throw new HarmonicaException(
          "`schedule` %s: only U-ViTs were trained on schedules that their files do not tell; leave `schedule` out"
              .formatted(choices.schedule().get()));
    }
  }

  private static void requireNoLabels(Choices choices, String what) {
    if (choices.noNullClass()) {
      throw new HarmonicaException(
          "`noNullClass`: %s takes texts, no class labels; leave `noNullClass` out"
              .formatted(what));
    }
  }

  /** A DiT leaves neither its size nor a text free. */
  private static Model unchanged(Model model, Choices choices) {
    Denoiser.Interface io = model.denoiser().io();
    int pixels = choices.pixelsPerElement(io.channels());
    Resolution own = new Resolution(io.height() * pixels, io.width() * pixels);
    if (!choices.resolution().orElse(own).equals(own)) {
      throw new HarmonicaException(
          "`resolution` %s: a DiT has the size that it was trained for, here %s; leave `resolution` out"
              .formatted(choices.resolution().get(), own));
    }
    if (choices.textTokens().isPresent()) {
      throw new HarmonicaException(
          "`textTokens` %d: a DiT takes class labels, no text; leave `textTokens` out"
              .formatted(choices.textTokens().getAsInt()));
    }
    return model;
  }
}
