package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.ChangedWeights;
import io.harmonica.model.Resolution;
import io.harmonica.model.Samples;
import io.harmonica.model.Sd3;
import io.harmonica.model.Weights;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/** Stable Diffusion 3 by the fields of diffusers' configuration, whose names {@link Sd3} uses. */
final class Sd3Checkpoint {
  static final String TYPE = "SD3Transformer2DModel";
  private static final int TEXT_TOKENS = 77 + 256; // of the CLIPs, and of the T5

  private Sd3Checkpoint() {}

  /** Whether it is one, by its configuration or by its names. */
  static boolean isOne(Checkpoint checkpoint) {
    return checkpoint
        .config()
        .map(config -> config.path("_class_name").asText().equals(TYPE))
        .orElseGet(() -> Original.with(Sd3Original.FIRST, checkpoint).isPresent());
  }

  /** In diffusers' layout or the original one, with a configuration or, original, without. */
  static Model of(Checkpoint checkpoint, Choices choices) {
    Optional<Original> original = Original.with(Sd3Original.FIRST, checkpoint);
    Config fields =
        Config.of(checkpoint)
            .orElseGet(() -> Sd3Original.config(original.orElseThrow().weights(), choices.heads()));
    return original
        .map(
            file ->
                file.told(
                    model(
                        file.weights(),
                        fields,
                        name -> Sd3Original.source(name, fields.integer("num_layers", 18)),
                        choices)))
        .orElseGet(() -> model(checkpoint, fields, Source::of, choices));
  }

  private static Model model(
      Checkpoint checkpoint, Config fields, Function<String, Source> layout, Choices choices) {
    int heads = fields.heads(18, choices.heads());
    int width = heads * fields.integer("attention_head_dim", 64);
    fields.check(
        "caption_projection_dim",
        fields.integer("caption_projection_dim", 1152) == width,
        "the width, " + width);
    int channels = fields.integer("in_channels", 16);
    fields.check(
        "out_channels", fields.integer("out_channels", 16) == channels, "as many as in_channels");
    int patch = fields.integer("patch_size", 2);
    int most = fields.integer("pos_embed_max_size", 96); // tokens a side
    int depth = fields.integer("num_layers", 18);
    Samples samples = samples(choices, fields.integer("sample_size", 128), channels, patch, most);
    boolean normed = fields.json().path("qk_norm").isTextual();
    fields.require("qk_norm", normed ? "rms_norm" : "null");
    Sd3 model =
        new Sd3(
            width,
            heads,
            depth,
            patch,
            dual(fields, depth),
            normed,
            Sd3.io(
                samples,
                patch,
                choices.textTokens().orElse(TEXT_TOKENS),
                fields.integer("joint_attention_dim", 4096),
                fields.integer("pooled_projection_dim", 2048)));
    String last = "transformer_blocks." + (depth - 1) + ".attn.";
    List<String> unused = // of a block that gives no text, and so asks for none
        Stream.of("add_q_proj.weight", "add_q_proj.bias", "norm_added_q.weight")
            .map(name -> layout.apply(last + name).tensor())
            .toList();
    Weights weights =
        new CheckpointWeights(checkpoint, layout, Unread.TRANSFORMER).withCopies(unused);
    return new Model(
        model,
        new CroppedPositions(
            weights, most, samples.height() / patch, samples.width() / patch, width));
  }

  private static List<Integer> dual(Config fields, int depth) {
    List<Integer> dual = new ArrayList<>();
    JsonNode layers = fields.json().path("dual_attention_layers");
    layers.forEach(layer -> dual.add(layer.asInt(-1)));
    fields.check(
        "dual_attention_layers",
        dual.stream().allMatch(layer -> layer >= 0 && layer < depth),
        "numbers of its %d blocks, from 0".formatted(depth));
    return dual;
  }

  private static Samples samples(Choices choices, int size, int channels, int patch, int most) {
    int pixels = choices.pixelsPerElement(channels);
    int step = pixels * patch;
    Resolution trained = new Resolution(size * pixels, size * pixels);
    Resolution resolution = choices.resolution().orElse(trained);
    Resolution nearest =
        new Resolution(fit(resolution.height(), step, most), fit(resolution.width(), step, most));
    if (!nearest.equals(resolution)) {
      throw new HarmonicaException(
          "`resolution` %s does not fit the model, which takes multiples of %d pixels up to %d; the nearest is %s"
              .formatted(resolution, step, most * step, nearest));
    }
    return new Samples(
        channels, channels, resolution.height() / pixels, resolution.width() / pixels, pixels);
  }

  private static int fit(int pixels, int step, int most) {
    return Math.min(Math.max((pixels + step / 2) / step, 1), most) * step;
  }

  /**
   * The file's weights, and of its table of positions the middle: as much as the pictures have
   * tokens ({@code PatchEmbed.cropped_pos_embed}).
   *
   * @param most side of the table
   */
  private record CroppedPositions(Weights exact, int most, int rows, int columns, int width)
      implements ChangedWeights {
    private static final String TABLE = "pos_embed.pos_embed";

    @Override
    public void require(String name, long... shape) {
      if (name.equals(Sd3.POSITIONS)) {
        exact.require(TABLE, 1, (long) most * most, width);
      } else {
        exact.require(name, shape);
      }
    }

    @Override
    public float[] read(String name, long... shape) {
      if (!name.equals(Sd3.POSITIONS)) {
        return exact.read(name, shape);
      }
      float[] table = exact.read(TABLE, 1, (long) most * most, width);
      float[] cropped = new float[rows * columns * width];
      int top = (most - rows) / 2;
      int left = (most - columns) / 2;
      for (int row = 0; row < rows; row++) {
        int from = ((top + row) * most + left) * width;
        System.arraycopy(table, from, cropped, row * columns * width, columns * width);
      }
      return cropped;
    }
  }
}
