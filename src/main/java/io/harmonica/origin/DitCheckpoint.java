package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Dit;
import io.harmonica.model.DitPresets;
import io.harmonica.origin.CheckpointWeights.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The two file layouts of DiT. The layout decides two constants with it: the same weights give
 * different pictures in diffusers (divisor 127, epsilon of the configuration) and in
 * facebookresearch/DiT (128, 1e-6).
 */
final class DitCheckpoint {
  private static final Pattern BLOCK = Pattern.compile("blocks\\.(\\d+)\\.(.+)");
  private static final Pattern EMBEDDER =
      Pattern.compile("transformer_blocks\\.\\d+\\.(norm1\\.emb\\..+)");

  private DitCheckpoint() {}

  // ---- diffusers: DiTTransformer2DModel, or Transformer2DModel of old with ada_norm_zero ----

  static Model diffusers(Checkpoint checkpoint, JsonNode json, Choices choices) {
    DiffusersFields fields = DiffusersFields.of(checkpoint.path(), json, choices.heads(), 4, 0, 32);
    Config config = fields.config();
    config.require("norm_type", "ada_norm_zero");
    config.require("cross_attention_dim", "null");
    LabelTable labels = LabelTable.stated(config.integer("num_embeds_ada_norm", 1000), choices);
    double eps = config.number("norm_eps", 1e-5);
    int channels = fields.channels();
    int out = fields.outputChannels();
    int size = fields.size();
    List<String> copies = embedderCopies(checkpoint);
    boolean shared = copies.stream().allMatch(copy -> equalsFirst(checkpoint, copy));
    Denoiser.Interface io =
        labels.of(
            new Denoiser.Interface(
                channels, out, size, size, labels.classes(), "leading", channels));
    Dit dit =
        new Dit(
            fields.width(),
            fields.heads(),
            fields.depth(),
            fields.patch(),
            labels.rows(),
            Dit.Layout.diffusers(eps, shared),
            io);
    CheckpointWeights weights =
        new CheckpointWeights(checkpoint, DitCheckpoint::diffusersName, Unread.TRANSFORMER);
    return new Model(dit, shared ? weights.withCopies(copies) : weights);
  }

  private static final Map<String, String> DIFFUSERS =
      Map.ofEntries(
          Map.entry("attn.q", "attn1.to_q"),
          Map.entry("attn.k", "attn1.to_k"),
          Map.entry("attn.v", "attn1.to_v"),
          Map.entry("attn.proj", "attn1.to_out.0"),
          Map.entry("mlp.fc1", "ff.net.0.proj"),
          Map.entry("mlp.fc2", "ff.net.2"),
          Map.entry("adaLN_modulation.1", "norm1.linear"),
          Map.entry("t_embedder.mlp.0", "norm1.emb.timestep_embedder.linear_1"),
          Map.entry("t_embedder.mlp.2", "norm1.emb.timestep_embedder.linear_2"),
          Map.entry("y_embedder.embedding_table", "norm1.emb.class_embedder.embedding_table"),
          Map.entry("x_embedder.proj", "pos_embed.proj"),
          Map.entry("final_layer.adaLN_modulation.1", "proj_out_1"),
          Map.entry("final_layer.linear", "proj_out_2"));

  private static Source diffusersName(String name) {
    Matcher block = BLOCK.matcher(name);
    boolean inBlock = block.matches();
    String local = inBlock ? block.group(2) : name;
    int dot = local.lastIndexOf('.');
    String module = local.substring(0, dot);
    // A shared embedder is read from block 0; every block carries a copy of it.
    boolean embedder = module.startsWith("t_embedder") || module.startsWith("y_embedder");
    String prefix =
        inBlock || embedder ? "transformer_blocks." + (inBlock ? block.group(1) : "0") + "." : "";
    return Source.of(prefix + DIFFUSERS.get(module) + local.substring(dot));
  }

  /** The embedder's parameters in every block but the first: equal in converted checkpoints. */
  private static List<String> embedderCopies(Checkpoint checkpoint) {
    return checkpoint.names().stream()
        .filter(name -> EMBEDDER.matcher(name).matches() && !first(name).equals(name))
        .filter(name -> checkpoint.names().contains(first(name)))
        .toList();
  }

  private static boolean equalsFirst(Checkpoint checkpoint, String copy) {
    return checkpoint.tensor(copy).data().equals(checkpoint.tensor(first(copy)).data());
  }

  /** The name of the same parameter in the first block. */
  private static String first(String embedder) {
    return EMBEDDER.matcher(embedder).replaceFirst("transformer_blocks.0.$1");
  }

  // ---- facebookresearch/DiT: a state dict without a configuration ----

  static Model facebook(Checkpoint checkpoint, Choices choices) {
    Settings settings = Settings.of(checkpoint);
    boolean told = Training.requireDiffusion(checkpoint, settings);
    StateDict weights = new StateDict(checkpoint, "facebookresearch/DiT");
    List<Long> embedder = weights.shape("x_embedder.proj.weight", 4);
    int width = Math.toIntExact(embedder.get(0));
    int channels = Math.toIntExact(embedder.get(1));
    int patch = Math.toIntExact(embedder.get(2));
    int side = weights.side();
    int depth = weights.depth();
    int heads = facebookHeads(checkpoint, depth, width, settings, choices.heads());
    if (heads < 1 || width % heads != 0) {
      throw new HarmonicaException(
          "%s: width %d is not divisible by %d heads; check `heads`"
              .formatted(checkpoint.path(), width, heads));
    }
    int out = weights.outputChannels(channels, patch);
    int tableRows = weights.size("y_embedder.embedding_table.weight", 2, 0);
    LabelTable labels = LabelTable.of(checkpoint, tableRows, settings, choices);
    int size = side * patch;
    Denoiser.Interface io =
        labels.of(
            new Denoiser.Interface(
                channels, out, size, size, labels.classes(), "openai", Math.min(3, channels)));
    Dit dit = new Dit(width, heads, depth, patch, tableRows, Dit.Layout.FACEBOOK, io);
    return new Model(
        dit,
        new CheckpointWeights(checkpoint, QkvNames::source, Unread.TRANSFORMER),
        assumed(checkpoint, told, labels));
  }

  /** What nothing says, and what is taken instead: a note, or none. */
  private static List<String> assumed(Checkpoint checkpoint, boolean told, LabelTable labels) {
    List<String> assumed = new ArrayList<>();
    if (!told) {
      assumed.add(
          "predicts noise, betas linear over 1000 timesteps (so not SiT, REPA and the like)");
    }
    if (!labels.told()) {
      assumed.add(
          "the last of %d label rows is the null class (if not: `noNullClass`)"
              .formatted(labels.rows()));
    }
    return assumed.isEmpty()
        ? List.of()
        : List.of(
            "%s does not say how it was trained, assumed as facebookresearch/DiT: %s"
                .formatted(checkpoint.path(), String.join("; ", assumed)));
  }

  /** As the script's settings say, of the published size, else as stated. */
  private static int facebookHeads(
      Checkpoint checkpoint, int depth, int width, Settings settings, OptionalInt statedHeads) {
    OptionalInt noted = settings.heads(width);
    if (noted.isPresent()) {
      if (statedHeads.orElse(noted.getAsInt()) != noted.getAsInt()) {
        throw new HarmonicaException(
            "%s: its settings say %d heads (%s), `heads` says %d; leave `heads` out"
                .formatted(
                    checkpoint.path(),
                    noted.getAsInt(),
                    settings.headsWords(),
                    statedHeads.getAsInt()));
      }
      return noted.getAsInt();
    }
    Optional<DitPresets> published = DitPresets.of(depth, width);
    if (published.isEmpty()) {
      return statedHeads.orElseThrow(
          () ->
              new HarmonicaException(
                  "%s: %d blocks of width %d are no published DiT and the file does not say how many heads they have; add `heads` N"
                      .formatted(checkpoint.path(), depth, width)));
    }
    int heads = published.get().heads;
    if (statedHeads.orElse(heads) != heads) {
      throw new HarmonicaException(
          "%s: %d blocks of width %d are DiT-%s, which has %d heads, `heads` says %d; leave `heads` out"
              .formatted(
                  checkpoint.path(), depth, width, published.get(), heads, statedHeads.getAsInt()));
    }
    return heads;
  }
}
