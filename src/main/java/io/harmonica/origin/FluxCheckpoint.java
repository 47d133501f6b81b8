package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Flux;
import io.harmonica.model.Resolution;
import io.harmonica.model.Samples;
import io.harmonica.model.Shows;
import io.harmonica.model.TextUse;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** FLUX.1 by the fields of diffusers' configuration, whose names {@link Flux} uses. */
final class FluxCheckpoint {
  static final String TYPE = "FluxTransformer2DModel";
  private static final int PATCH = 2;
  private static final int SIDE = 1024; // pixels, where nobody says
  private static final int GUIDED_TOKENS = 512;
  private static final int OTHER_TOKENS = 256;

  private FluxCheckpoint() {}

  /** Whether it is one, by its configuration or by its names. */
  static boolean isOne(Checkpoint checkpoint) {
    return checkpoint
        .config()
        .map(config -> config.path("_class_name").asText().equals(TYPE))
        .orElseGet(() -> Original.with(FluxOriginal.FIRST, checkpoint).isPresent());
  }

  /** In diffusers' layout or the original one, with a configuration or, original, without. */
  static Model of(Checkpoint checkpoint, Choices choices) {
    Optional<Original> original = Original.with(FluxOriginal.FIRST, checkpoint);
    Config fields =
        Config.of(checkpoint)
            .orElseGet(() -> FluxOriginal.config(original.orElseThrow().weights()));
    return original
        .map(file -> file.told(model(file.weights(), fields, FluxOriginal.NAMES::source, choices)))
        .orElseGet(() -> model(checkpoint, fields, Source::of, choices));
  }

  private static Model model(
      Checkpoint checkpoint, Config fields, Function<String, Source> layout, Choices choices) {
    int heads = fields.heads(24, choices.heads());
    int head = fields.integer("attention_head_dim", 128);
    fields.check(
        "patch_size", fields.integer("patch_size", 1) == 1, "1, as four elements are packed");
    int packed = fields.integer("in_channels", 64);
    fields.check("in_channels", packed % (PATCH * PATCH) == 0, "a multiple of 4");
    fields.check(
        "out_channels", fields.integer("out_channels", packed) == packed, "as many as in_channels");
    boolean guided = // by their names alone dev and schnell could be taken for each other
        fields
            .flag("guidance_embeds")
            .orElseThrow(
                () ->
                    new HarmonicaException(
                        "%s: field guidance_embeds is absent, so nothing says whether the model is told a scale of guidance: state it there"
                            .formatted(fields.where())));
    TextUse clip = new TextUse(TextUse.Kind.CLIP, TextUse.States.NONE, TextUse.Pooled.PLAIN);
    Shows.Text text =
        new Shows.Text(
            choices.textTokens().orElse(guided ? GUIDED_TOKENS : OTHER_TOKENS),
            fields.integer("joint_attention_dim", 4096),
            false,
            false,
            fields.integer("pooled_projection_dim", 768),
            List.of(clip, TextUse.T5),
            guided);
    Flux model =
        new Flux(
            heads * head,
            heads,
            fields.integer("num_layers", 19),
            fields.integer("num_single_layers", 38),
            axes(fields, head),
            Flux.io(samples(choices, packed / (PATCH * PATCH)), text));
    return new Model(model, new CheckpointWeights(checkpoint, layout, Unread.TRANSFORMER));
  }

  private static List<Integer> axes(Config fields, int head) {
    List<Integer> axes = new ArrayList<>();
    fields.json().path("axes_dims_rope").forEach(axis -> axes.add(axis.asInt()));
    if (axes.isEmpty()) {
      axes.addAll(List.of(16, 56, 56)); // of early files, which do not say
    }
    int sum = axes.stream().mapToInt(Integer::intValue).sum();
    fields.check(
        "axes_dims_rope",
        axes.size() == 3 && sum == head && axes.stream().allMatch(a -> a > 0 && a % 2 == 0),
        "three even numbers that make attention_head_dim %d together".formatted(head));
    return axes;
  }

  private static Samples samples(Choices choices, int channels) {
    int pixels = choices.pixelsPerElement(channels);
    int step = pixels * PATCH;
    Resolution resolution = choices.resolution().orElse(new Resolution(SIDE, SIDE));
    Resolution nearest =
        new Resolution(fit(resolution.height(), step), fit(resolution.width(), step));
    if (!nearest.equals(resolution)) {
      throw new HarmonicaException(
          "`resolution` %s does not fit the model, which takes multiples of %d pixels up to %d; the nearest is %s"
              .formatted(resolution, step, DiffusersFields.MAX_SIDE * step, nearest));
    }
    return new Samples(
        channels, channels, resolution.height() / pixels, resolution.width() / pixels, pixels);
  }

  private static int fit(int pixels, int step) {
    int tokens = (pixels + step / 2) / step;
    return Math.min(Math.max(tokens, 1), DiffusersFields.MAX_SIDE) * step;
  }
}
