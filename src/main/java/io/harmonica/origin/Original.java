package io.harmonica.origin;

import io.harmonica.checkpoint.Checkpoint;
import java.util.List;
import java.util.Optional;

/**
 * A transformer in the single file that its authors published, whose names are not diffusers'. It
 * may lie there beside its autoencoder and text encoders.
 *
 * @param whole the file
 * @param weights the transformer in it
 */
record Original(Checkpoint whole, Checkpoint weights) {
  /** What Stability AI's files and ComfyUI's put before the names. */
  private static final List<String> AROUND =
      List.of("", "diffusion_model.", "model.diffusion_model.");

  /** The one that has this weight, if there is any. */
  static Optional<Original> with(String weight, Checkpoint checkpoint) {
    return AROUND.stream()
        .filter(prefix -> checkpoint.names().contains(prefix + weight))
        .findFirst()
        .map(prefix -> new Original(checkpoint, checkpoint.part(prefix)));
  }

  /** The model, and that the rest of the file is not read. */
  Model told(Model model) {
    int beside = whole.names().size() - weights.names().size();
    return beside == 0
        ? model
        : new Model(
            model.denoiser(),
            model.weights(),
            List.of(
                "%s holds %d weights beside its transformer, which are left: give an autoencoder by `vae`, text encoders by `textEncoder`"
                    .formatted(whole.path(), beside)));
  }
}
