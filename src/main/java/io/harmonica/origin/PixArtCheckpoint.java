package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.PixArt;
import io.harmonica.model.Resolution;
import io.harmonica.model.Samples;
import io.harmonica.model.Shows;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.Optional;

/**
 * PixArt in diffusers' layout: {@code PixArtTransformer2DModel}, or {@code Transformer2DModel} of
 * old with {@code ada_norm_single}; both name the weights as {@link PixArt} does.
 */
final class PixArtCheckpoint {
  private static final int ALPHA_TOKENS = 120;
  private static final int SIGMA_TOKENS = 300;

  private PixArtCheckpoint() {}

  static Model of(Checkpoint checkpoint, JsonNode json, Choices choices) {
    boolean old = json.path("_class_name").asText().equals("Transformer2DModel");
    DiffusersFields fields =
        DiffusersFields.of(checkpoint.path(), json, choices.heads(), 4, old ? 0 : 8, 128);
    Config config = fields.config();
    int width = fields.width();
    config.require("norm_type", "ada_norm_single");
    config.check(
        "cross_attention_dim",
        config.integer("cross_attention_dim", width) == width,
        "the width, " + width);
    int captionWidth = config.integer("caption_channels", 0);
    config.check("caption_channels", captionWidth > 0, "the width of the text encoder's output");
    int trained = fields.size();
    Optional<Boolean> stated = config.flag("use_additional_conditions");
    boolean pictureSize = stated.orElse(trained == 128);
    config.check(
        "use_additional_conditions",
        !pictureSize || width % 3 == 0,
        "false, as the width %d is not divisible by 3".formatted(width));
    // Sigma's files say false, alpha's say nothing.
    int usual = stated.isPresent() && !pictureSize ? SIGMA_TOKENS : ALPHA_TOKENS;
    PixArt model =
        model(
            choices,
            fields.sizes(),
            new Shows.Text(choices.textTokens().orElse(usual), captionWidth, pictureSize),
            config.number("interpolation_scale", Math.max(trained / 64, 1)),
            config.number("norm_eps", old ? 1e-5 : 1e-6));
    return new Model(model, new CheckpointWeights(checkpoint, Source::of, Unread.TRANSFORMER));
  }

  /** The definition, at the sizes that were chosen. */
  static PixArt model(
      Choices choices, TransformerSizes sizes, Shows.Text text, double interpolation, double eps) {
    int pixels = choices.pixelsPerElement(sizes.channels());
    int step = pixels * sizes.patch();
    Resolution trained = new Resolution(sizes.size() * pixels, sizes.size() * pixels);
    Resolution resolution = choices.resolution().orElse(trained);
    requireFits(resolution, step);
    Denoiser.Interface io =
        PixArt.io(
            new Samples(
                sizes.channels(),
                sizes.outputChannels(),
                resolution.height() / pixels,
                resolution.width() / pixels,
                pixels),
            text);
    return new PixArt(
        sizes.width(),
        sizes.heads(),
        sizes.depth(),
        sizes.patch(),
        sizes.size() / sizes.patch(),
        interpolation,
        eps,
        io);
  }

  private static void requireFits(Resolution resolution, int step) {
    int largest = DiffusersFields.MAX_SIDE * step;
    Resolution nearest =
        new Resolution(fit(resolution.height(), step), fit(resolution.width(), step));
    if (!nearest.equals(resolution)) {
      throw new HarmonicaException(
          "`resolution` %s does not fit the model, which takes multiples of %d pixels up to %d; the nearest is %s"
              .formatted(resolution, step, largest, nearest));
    }
  }

  /** The nearest multiple of {@code step} that the model takes. */
  private static int fit(int pixels, int step) {
    int tokens = (pixels + step / 2) / step;
    return Math.min(Math.max(tokens, 1), DiffusersFields.MAX_SIDE) * step;
  }
}
