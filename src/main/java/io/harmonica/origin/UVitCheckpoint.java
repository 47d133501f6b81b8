package io.harmonica.origin;

import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Origin;
import io.harmonica.model.Resolution;
import io.harmonica.model.Samples;
import io.harmonica.model.Shows;
import io.harmonica.model.UVit;
import io.harmonica.model.UVitPresets;
import io.harmonica.model.UVitSchedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * U-ViT as its own repository saves it (baofff/U-ViT, {@code nnet_ema.pth}): a flat state dict.
 * Shapes say the sizes; heads and the schedule that it was trained on are those of the published
 * model of these sizes, else stated.
 */
final class UVitCheckpoint {
  private static final String MIDDLE = "mid_block.attn.qkv.weight";
  private static final String LABELS = "label_emb.weight";
  private static final String TEXT = "context_embed.weight";

  /** Of a prompt, by CLIP, which all published models of text take. */
  private static final int TEXT_TOKENS = 77;

  private final Checkpoint checkpoint;
  private final StateDict weights;
  private final Choices choices;
  private final List<String> notes = new ArrayList<>();

  private UVitCheckpoint(Checkpoint checkpoint, Choices choices) {
    this.checkpoint = checkpoint;
    this.weights = new StateDict(checkpoint, "baofff/U-ViT");
    this.choices = choices;
  }

  /** Whether the names are those of a U-ViT. */
  static boolean isOne(Checkpoint checkpoint) {
    return checkpoint.config().isEmpty() && checkpoint.names().contains(MIDDLE);
  }

  static Model of(Checkpoint checkpoint, Choices choices) {
    return new UVitCheckpoint(checkpoint, choices).model();
  }

  private Model model() {
    Training.requireNoise(checkpoint, Settings.of(checkpoint));
    List<Long> embedder = weights.shape("patch_embed.proj.weight", 4);
    int width = Math.toIntExact(embedder.get(0));
    int channels = Math.toIntExact(embedder.get(1));
    int patch = Math.toIntExact(embedder.get(2));
    int depth = depth();
    Shows shows = shows();
    int side = side(shows) * patch;
    Samples samples =
        new Samples(channels, channels, side, side, choices.pixelsPerElement(channels));
    requireUnchanged(samples, shows);
    int labels = has(LABELS) ? weights.size(LABELS, 2, 0) : 0;
    UVit.Parts parts =
        new UVit.Parts(
            has("mid_block.attn.qkv.bias"), has("time_embed.0.weight"), has("final_layer.weight"));
    Optional<UVitPresets> published =
        UVitPresets.of(
            UVitPresets.name(depth, width, patch), samples, parts.convolution(), shows, labels);
    requireNoVariance(channels, patch);
    UVit uVit =
        new UVit(
            width,
            heads(depth, width),
            depth,
            patch,
            weights.size("mid_block.mlp.fc1.weight", 2, 0),
            labels,
            parts,
            new Denoiser.Interface(
                samples,
                Element.FP32,
                told(shows, labels, published),
                origin(published, channels, shows)));
    return new Model(
        uVit, new CheckpointWeights(checkpoint, QkvNames::source, Unread.TRANSFORMER), notes);
  }

  private boolean has(String name) {
    return checkpoint.names().contains(name);
  }

  /** Blocks of both halves. */
  private int depth() {
    int first = weights.blocks("in_blocks");
    int second = weights.blocks("out_blocks");
    if (first != second) {
      throw new HarmonicaException(
          "%s has %d in_blocks and %d out_blocks, expected as many of both, as each of the second half takes a skip of the first; is it the whole checkpoint?"
              .formatted(checkpoint.path(), first, second));
    }
    return first + second;
  }

  /** What it is told, by the tables that it has. */
  private Shows shows() {
    if (has(LABELS) && has(TEXT)) {
      throw new HarmonicaException(
          "%s holds both %s and %s, and a U-ViT takes either classes or texts: give one of the published architecture"
              .formatted(checkpoint.path(), LABELS, TEXT));
    }
    if (!has(TEXT)) {
      return has(LABELS)
          ? new Shows.Classes(weights.size(LABELS, 2, 0), false)
          : new Shows.Anything();
    }
    int tokens = choices.textTokens().orElse(TEXT_TOKENS);
    return Shows.Text.ofClip(tokens, weights.size(TEXT, 2, 1));
  }

  private int side(Shows shows) {
    String words =
        shows instanceof Shows.Text text
            ? " beside that of the time and those of %d text tokens; if prompts have others, add `textTokens` N"
                .formatted(text.tokens())
            : shows instanceof Shows.Classes
                ? " beside those of class and time"
                : " beside that of the time";
    return weights.side(UVit.extraTokens(shows), words);
  }

  /** Learned positions have one size, and only texts have tokens to count. */
  private void requireUnchanged(Samples samples, Shows shows) {
    int pixels = samples.pixelsPerElement();
    Resolution own = new Resolution(samples.height() * pixels, samples.width() * pixels);
    if (!choices.resolution().orElse(own).equals(own)) {
      throw new HarmonicaException(
          "`resolution` %s: a U-ViT has the size that it was trained for, here %s; leave `resolution` out"
              .formatted(choices.resolution().get(), own));
    }
    if (choices.textTokens().isPresent() && !(shows instanceof Shows.Text)) {
      throw new HarmonicaException(
          "`textTokens` %d: this U-ViT takes no text; leave `textTokens` out"
              .formatted(choices.textTokens().getAsInt()));
    }
    if (choices.noNullClass() && !(shows instanceof Shows.Classes)) {
      throw new HarmonicaException(
          "`noNullClass`: this U-ViT takes no class labels; leave `noNullClass` out");
    }
  }

  private void requireNoVariance(int channels, int patch) {
    long rows = weights.shape("decoder_pred.weight", 2).get(0);
    long expected = (long) patch * patch * channels;
    if (rows != expected) {
      throw new HarmonicaException(
          "%s: decoder_pred.weight has %d rows, expected %d for patches of %d x %d in %d channels: a U-ViT learns no variance"
              .formatted(checkpoint.path(), rows, expected, patch, patch, channels));
    }
  }

  /** The same with the null class, which a published size decides, else as with a DiT. */
  private Shows told(Shows shows, int rows, Optional<UVitPresets> published) {
    if (!(shows instanceof Shows.Classes)) {
      return shows;
    }
    if (published.isPresent() && !choices.noNullClass()) {
      return published.get().shows();
    }
    LabelTable table = LabelTable.of(checkpoint, rows, Settings.of(checkpoint), choices);
    if (!table.told()) {
      notes.add(
          "%s does not say whether it has a null class, assumed: the last of its %d label rows (if not: `noNullClass`)"
              .formatted(checkpoint.path(), rows));
    }
    return new Shows.Classes(table.classes(), table.nullClass());
  }

  private int heads(int depth, int width) {
    Optional<UVitPresets.Size> size = UVitPresets.Size.of(depth, width);
    OptionalInt stated = choices.heads();
    if (size.isEmpty() && stated.isEmpty()) {
      throw new HarmonicaException(
          "%s: %d blocks of width %d are no published U-ViT and the file does not say how many heads they have; add `heads` N"
              .formatted(checkpoint.path(), depth + 1, width));
    }
    int heads = size.isPresent() ? size.get().heads() : stated.getAsInt();
    if (stated.orElse(heads) != heads) {
      throw new HarmonicaException(
          "%s: %d blocks of width %d are %s, which has %d heads, `heads` says %d; leave `heads` out"
              .formatted(
                  checkpoint.path(), depth + 1, width, size.get(), heads, stated.getAsInt()));
    }
    if (width % heads != 0) {
      throw new HarmonicaException(
          "%s: width %d is not divisible by %d heads; check `heads`"
              .formatted(checkpoint.path(), width, heads));
    }
    return heads;
  }

  /** By the schedule that was stated, else that of the published model, which is told. */
  private Origin origin(Optional<UVitPresets> published, int channels, Shows shows) {
    if (choices.schedule().isEmpty()) {
      if (published.isEmpty()) {
        throw new HarmonicaException(
            "%s is no published U-ViT and does not say which noise schedule it was trained on: add `schedule` discrete (latent diffusion's 1000 betas) or `schedule` continuous (the variance-preserving SDE)"
                .formatted(checkpoint.path()));
      }
      notes.add(
          "%s does not say which noise schedule it was trained on, assumed as the published model of its sizes: %s (if not: `schedule`)"
              .formatted(checkpoint.path(), published.get().schedule()));
    }
    OptionalDouble guidance =
        published.map(p -> OptionalDouble.of(p.guidance())).orElseGet(OptionalDouble::empty);
    UVitSchedule schedule = choices.schedule().orElseGet(() -> published.get().schedule());
    return schedule.origin(channels, shows, guidance);
  }
}
