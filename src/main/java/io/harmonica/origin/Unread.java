package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Messages;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What it means that a checkpoint holds tensors that the definition of its part does not read.
 *
 * <p>A file that says more than we read is another model. In a component that is read, a block
 * above all, that is refused; elsewhere it is told, unless it is known to change nothing.
 */
enum Unread {
  /** Positions that follow from the sizes, and texts that only PixArt's training drops in. */
  TRANSFORMER(
      "transformer", "pos_embed(\\.pos_embed)?|(caption_projection|y_embedder)\\.y_embedding"),
  /** The half of an autoencoder that makes latents. */
  DECODER("autoencoder's decoder", "(encoder|quant_conv)\\..*"),
  /** A T5's half that writes texts and its token table once more; what CLIP has for pictures. */
  TEXT_ENCODER(
      "text encoder",
      "(decoder|lm_head|vision_model|visual_projection|text_projection)\\..*|logit_scale"
          + "|encoder\\.embed_tokens\\.weight");

  /** Numbers 0, 1, 2 ..., and what a FLOP counter (thop) leaves in every layer. */
  private static final String HARMLESS = "(.*\\.)?(position_ids|total_ops|total_params)";

  /** What weights can be wrapped in, known by the names beside them. */
  private record Wrapping(Pattern names, String what, String remedy) {}

  private static final List<Wrapping> WRAPPINGS =
      List.of(
          new Wrapping(
              Pattern.compile(
                  "(?i)(.*[._])?lora([._].*)?|.*\\.(base_layer|modules_to_save|dora_scale)(\\..*)?"
                      + "|.*\\.(hada|lokr|oft|boft|ia3|vera)_.*"),
              "an adapter (LoRA) that is not merged",
              "merge it into its model first, with peft:"
                  + " PeftModel.from_pretrained(model, ADAPTER).merge_and_unload()"
                  + ".save_pretrained(DIR), then give DIR"),
          new Wrapping(
              Pattern.compile(
                  "(.*\\.)?((weight|input|output)_(scale|zero_point)(_\\w+)?|scale_(weight|input)"
                      + "|scaled_fp8|SCB|weight_format|qweight|qzeros|g_idx"
                      + "|weight\\.(_data|_scale|_shift|(nested_)?(absmax|quant_map)"
                      + "|quant_state\\..*))"),
              "quantised weights",
              "give the checkpoint that was quantised, in F32, F16 or BF16; `precision` fp16 halves"
                  + " it"));

  private final String part;
  private final Pattern harmless;

  Unread(String part, String harmless) {
    this.part = part;
    this.harmless = Pattern.compile(HARMLESS + "|" + harmless);
  }

  /**
   * Refuses weights that are not what their names say without others beside them: under an adapter,
   * or quantised. Before all else, as parameters may be missing there or have other shapes.
   */
  void refuseWrapped(Checkpoint checkpoint) {
    for (Wrapping wrapping : WRAPPINGS) {
      List<String> found =
          names(checkpoint).stream().filter(n -> wrapping.names().matcher(n).matches()).toList();
      if (!found.isEmpty()) {
        throw new HarmonicaException(
            "%s holds %s, in %s (%s): %s"
                .formatted(
                    checkpoint.path(),
                    wrapping.what(),
                    counted(found),
                    Messages.some(found),
                    wrapping.remedy()));
      }
    }
  }

  /**
   * Refuses what lies in components that are read.
   *
   * @param read names of all tensors that the definition asked for
   */
  void refuseBeside(Checkpoint checkpoint, Set<String> read) {
    Set<String> components = read.stream().map(Unread::component).collect(Collectors.toSet());
    List<String> beside =
        names(checkpoint).stream()
            .filter(name -> !read.contains(name) && components.contains(component(name)))
            .toList();
    if (!beside.isEmpty()) {
      throw new HarmonicaException(
          "%s holds %s that the %s read here does not have (%s): it is another model, and would draw other pictures; give one of the published architecture, or leave out of the file what changes nothing"
              .formatted(checkpoint.path(), counted(beside), part, Messages.some(beside)));
    }
  }

  /** What to tell of tensors anywhere else. */
  Optional<String> note(Checkpoint checkpoint, Set<String> read) {
    List<String> unread = names(checkpoint).stream().filter(name -> !read.contains(name)).toList();
    return unread.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s holds %s that the %s read here does not have (%s): going on without; if they matter, it draws other pictures than its authors' code"
                .formatted(checkpoint.path(), counted(unread), part, Messages.some(unread)));
  }

  private List<String> names(Checkpoint checkpoint) {
    return checkpoint.names().stream().filter(name -> !harmless.matcher(name).matches()).toList();
  }

  /** The first word of a name: what a model is made of at its top. */
  private static String component(String name) {
    int dot = name.indexOf('.');
    return dot < 0 ? name : name.substring(0, dot);
  }

  private static String counted(List<String> names) {
    return names.size() == 1 ? "1 weight" : names.size() + " weights";
  }
}
