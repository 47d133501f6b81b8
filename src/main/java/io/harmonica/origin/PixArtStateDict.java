package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Layers;
import io.harmonica.model.PixArt;
import io.harmonica.model.Shows;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * PixArt as its own repositories save it (PixArt-alpha/PixArt-alpha, PixArt-sigma): a state dict
 * whose names the latter's {@code tools/convert_pixart_to_diffusers.py} maps to those of {@link
 * PixArt}. What that tool has its user state follows here from the fixed tensors in the file.
 */
final class PixArtStateDict {
  /** The width of its text is its second dimension. */
  private static final String CAPTION = "y_embedder.y_proj.fc1.weight";

  /** What stands for no caption: one row for each token. */
  private static final String NO_CAPTION = "y_embedder.y_embedding";

  private static final String POSITIONS = "pos_embed";

  /** What positions are divided by at 256, 512, 1024 and 2048 pixels; alpha has 1 at 256, too. */
  private static final double[] INTERPOLATIONS = {1, 0.5, 2, 4};

  /** More than bfloat16 rounds by; with another interpolation some differ by 0.4 and more. */
  private static final double SAME_POSITION = 1.0 / 64;

  private static final double EPS = 1e-6;

  private static final String ASSUMED =
      "%s does not say how it was trained, assumed as PixArt's repositories do: predicts noise, betas linear over 1000 timesteps";

  private static final Map<String, Source> OUTSIDE =
      Map.ofEntries(
          Map.entry("scale_shift_table", Source.of("final_layer.scale_shift_table")),
          Map.entry("pos_embed.proj", Source.of("x_embedder.proj")),
          Map.entry("caption_projection.linear_1", Source.of("y_embedder.y_proj.fc1")),
          Map.entry("caption_projection.linear_2", Source.of("y_embedder.y_proj.fc2")),
          Map.entry("adaln_single.emb.timestep_embedder.linear_1", Source.of("t_embedder.mlp.0")),
          Map.entry("adaln_single.emb.timestep_embedder.linear_2", Source.of("t_embedder.mlp.2")),
          Map.entry(
              "adaln_single.emb.resolution_embedder.linear_1", Source.of("csize_embedder.mlp.0")),
          Map.entry(
              "adaln_single.emb.resolution_embedder.linear_2", Source.of("csize_embedder.mlp.2")),
          Map.entry(
              "adaln_single.emb.aspect_ratio_embedder.linear_1", Source.of("ar_embedder.mlp.0")),
          Map.entry(
              "adaln_single.emb.aspect_ratio_embedder.linear_2", Source.of("ar_embedder.mlp.2")),
          Map.entry("adaln_single.linear", Source.of("t_block.1")),
          Map.entry("proj_out", Source.of("final_layer.linear")));

  private static final Map<String, Source> IN_BLOCKS =
      Map.ofEntries(
          Map.entry("scale_shift_table", Source.of("scale_shift_table")),
          Map.entry("attn1.to_q", Source.part("attn.qkv", 0, 3)),
          Map.entry("attn1.to_k", Source.part("attn.qkv", 1, 3)),
          Map.entry("attn1.to_v", Source.part("attn.qkv", 2, 3)),
          Map.entry("attn1.to_out.0", Source.of("attn.proj")),
          Map.entry("attn2.to_q", Source.of("cross_attn.q_linear")),
          Map.entry("attn2.to_k", Source.part("cross_attn.kv_linear", 0, 2)),
          Map.entry("attn2.to_v", Source.part("cross_attn.kv_linear", 1, 2)),
          Map.entry("attn2.to_out.0", Source.of("cross_attn.proj")),
          Map.entry("ff.net.0.proj", Source.of("mlp.fc1")),
          Map.entry("ff.net.2", Source.of("mlp.fc2")));

  private static final ModuleNames NAMES =
      new ModuleNames(
          OUTSIDE, List.of(new ModuleNames.Blocks("transformer_blocks", "blocks", IN_BLOCKS)));

  private PixArtStateDict() {}

  /** Whether the names are those of a PixArt. */
  static boolean isOne(Checkpoint checkpoint) {
    return checkpoint.config().isEmpty() && checkpoint.names().contains(CAPTION);
  }

  static Model of(Checkpoint checkpoint, Choices choices) {
    boolean told = Training.requireDiffusion(checkpoint, Settings.of(checkpoint));
    StateDict weights = new StateDict(checkpoint, "PixArt's repositories");
    List<Long> embedder = weights.shape("x_embedder.proj.weight", 4);
    int width = Math.toIntExact(embedder.get(0));
    int channels = Math.toIntExact(embedder.get(1));
    int patch = Math.toIntExact(embedder.get(2));
    int depth = weights.depth();
    int side = side(weights);
    boolean pictureSize = checkpoint.names().contains("csize_embedder.mlp.0.weight");
    TransformerSizes sizes =
        new TransformerSizes(
            heads(checkpoint, depth, width, choices.heads()),
            width,
            depth,
            patch,
            channels,
            weights.outputChannels(channels, patch),
            side * patch);
    Shows.Text text =
        new Shows.Text(
            choices.textTokens().orElseGet(() -> weights.size(NO_CAPTION, 2, 0)),
            weights.size(CAPTION, 2, 1),
            pictureSize);
    PixArt model =
        PixArtCheckpoint.model(choices, sizes, text, interpolation(checkpoint, width, side), EPS);
    CheckpointWeights parameters =
        new CheckpointWeights(checkpoint, NAMES::source, Unread.TRANSFORMER)
            .withCopies(List.of(POSITIONS, NO_CAPTION)); // read above
    return new Model(
        model, parameters, told ? List.of() : List.of(ASSUMED.formatted(checkpoint.path())));
  }

  private static int side(StateDict weights) {
    if (!weights.checkpoint().names().contains(POSITIONS)) {
      throw unknown(weights.checkpoint(), "has no " + POSITIONS);
    }
    return weights.side();
  }

  /** The one that makes the positions in the file. */
  private static double interpolation(Checkpoint checkpoint, int width, int side) {
    float[] stored = checkpoint.tensor(POSITIONS).floats();
    for (double interpolation : INTERPOLATIONS) {
      if (same(Layers.positions(width, side, side, side, (float) interpolation), stored)) {
        return interpolation;
      }
    }
    throw unknown(checkpoint, "has positions in %s that are not its own".formatted(POSITIONS));
  }

  private static boolean same(float[] positions, float[] stored) {
    boolean same = positions.length == stored.length;
    for (int i = 0; same && i < stored.length; i++) {
      same = Math.abs(positions[i] - stored[i]) < SAME_POSITION;
    }
    return same;
  }

  private static HarmonicaException unknown(Checkpoint checkpoint, String why) {
    return new HarmonicaException(
        "%s is an original PixArt and %s: which pictures it was trained on is not known; convert it with PixArt-sigma's tools/convert_pixart_to_diffusers.py --version alpha|sigma --image_size N --orig_ckpt_path %s --only_transformer True --dump_path DIR"
            .formatted(checkpoint.path(), why, checkpoint.path()));
  }

  private static int heads(Checkpoint checkpoint, int depth, int width, OptionalInt stated) {
    PixArt published = PixArt.xl();
    boolean isPublished = depth == published.depth() && width == published.width();
    int heads =
        stated.orElseGet(
            () -> {
              if (isPublished) {
                return published.heads();
              }
              throw new HarmonicaException(
                  "%s: %d blocks of width %d are no published PixArt and the file does not say how many heads they have; add `heads` N"
                      .formatted(checkpoint.path(), depth, width));
            });
    if (width % heads != 0 || (isPublished && heads != published.heads())) {
      throw new HarmonicaException(
          "%s: %d blocks of width %d do not have the %d heads that `heads` says; check it"
              .formatted(checkpoint.path(), depth, width, heads));
    }
    return heads;
  }
}
