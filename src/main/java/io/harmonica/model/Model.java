package io.harmonica.model;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A model definition with the parameters to fill it.
 *
 * <p>To add a model: write its definition beside {@link Dit} and name it here.
 */
public record Model(Denoiser denoiser, Weights weights) {

  /**
   * Finds out what a checkpoint holds and checks that every parameter is there in its shape.
   *
   * @param heads attention heads, where the file does not say; else they must agree
   */
  public static Model of(Checkpoint checkpoint, OptionalInt heads) {
    Model model = recognise(checkpoint, heads);
    model.flops();
    return model;
  }

  /** A published structure without parameters, such as {@code DiT-XL/2}. */
  public static Model named(String architecture) {
    return new Model(DitPresets.named(architecture), Weights.NONE);
  }

  /**
   * Checks that this is the architecture that its user named.
   *
   * @param path of the checkpoint, for the message
   */
  public void requireArchitecture(String name, Path path) {
    DitPresets.named(name); // names the known ones
    if (!denoiser.architecture().equals(name)) {
      throw new HarmonicaException(
          "%s holds a %s, not the --architecture %s"
              .formatted(path, denoiser.architecture(), name));
    }
  }

  /** FLOPs of one pass. */
  public Flops flops() {
    return Shapes.flops(denoiser, weights);
  }

  private static Model recognise(Checkpoint checkpoint, OptionalInt heads) {
    Optional<JsonNode> config = checkpoint.config();
    if (config.isEmpty()) {
      if (checkpoint.names().stream().anyMatch(name -> name.startsWith("transformer_blocks.0."))) {
        throw new HarmonicaException(
            "%s has a diffusers model's weights but no config.json beside them: add the one it was published with"
                .formatted(checkpoint.path()));
      }
      return DitCheckpoint.facebook(checkpoint, heads);
    }
    String type = config.get().path("_class_name").asText();
    String norm = config.get().path("norm_type").asText();
    if (type.equals("DiTTransformer2DModel")
        || (type.equals("Transformer2DModel") && norm.equals("ada_norm_zero"))) {
      return DitCheckpoint.diffusers(checkpoint, config.get(), heads);
    }
    throw new HarmonicaException(
        "%s/config.json: field _class_name is '%s'%s; supported: DiTTransformer2DModel (or Transformer2DModel with norm_type ada_norm_zero)"
            .formatted(
                checkpoint.path(), type, norm.isEmpty() ? "" : " with norm_type '" + norm + "'"));
  }
}
