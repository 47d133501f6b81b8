package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Decoder;
import io.harmonica.model.LatentSpace;
import io.harmonica.model.Origin;
import io.harmonica.model.Shapes;
import io.harmonica.model.Weights;
import io.harmonica.origin.CheckpointWeights.Source;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A decoder with the parameters to fill it: diffusers' folder {@code vae}, or a file of CompVis'
 * names.
 *
 * @param path that it was read from, for messages
 * @param saysScaling whether it says what latents were multiplied by; a file alone does not
 */
public record Autoencoder(Path path, Decoder decoder, Weights weights, boolean saysScaling) {
  private static final String TYPE = "AutoencoderKL";
  private static final String ATTENTION = "decoder.mid_block.attentions.0.";

  /** How files of old name the attention. */
  private static final Map<String, String> OLD =
      Map.of("to_q", "query", "to_k", "key", "to_v", "value", "to_out.0", "proj_attn");

  /** Reads the configuration, and checks that every parameter is there in its shape. */
  public static Autoencoder of(Checkpoint checkpoint) {
    if (CompVisAutoencoder.isOne(checkpoint)) {
      return CompVisAutoencoder.of(checkpoint);
    }
    Optional<JsonNode> json = checkpoint.config();
    String type = json.map(fields -> fields.path("_class_name").asText()).orElse("");
    if (!type.equals(TYPE)) {
      throw new HarmonicaException(
          "%s holds no autoencoder: %s, expected a folder whose config.json has _class_name %s, or a file of CompVis' names"
              .formatted(
                  checkpoint.path(),
                  json.isEmpty() ? "no config.json" : "_class_name is '" + type + "'",
                  TYPE));
    }
    Unread.DECODER.refuseWrapped(checkpoint);
    Decoder decoder = decoder(new Config(json.get(), checkpoint.path() + "/config.json"));
    boolean old = checkpoint.names().contains(ATTENTION + "query.weight");
    Weights weights =
        new CheckpointWeights(checkpoint, old ? Autoencoder::oldName : Source::of, Unread.DECODER);
    return of(checkpoint, decoder, weights, true);
  }

  static Autoencoder of(
      Checkpoint checkpoint, Decoder decoder, Weights weights, boolean saysScaling) {
    decoder.decode(new Shapes(weights), new long[] {1, decoder.channels(), 1, 1});
    weights.requireNothingElse();
    return new Autoencoder(checkpoint.path(), decoder, weights, saysScaling);
  }

  /**
   * The same for latents that were multiplied by this.
   *
   * @throws HarmonicaException if the file says another factor
   */
  public Autoencoder scaledBy(double factor) {
    if (saysScaling && factor != decoder.latents().scaling()) {
      throw new HarmonicaException(
          "`latentScale` %s: autoencoder %s says %s; leave `latentScale` out"
              .formatted(factor, path, decoder.latents().scaling()));
    }
    return new Autoencoder(path, decoder.of(factor, decoder.latents().shift()), weights, true);
  }

  /** The same for a model's latents, where its file does not say what was done to them. */
  public Autoencoder of(Origin origin) {
    return saysScaling
        ? this
        : new Autoencoder(
            path, decoder.of(origin.latentScale(), origin.latentShift()), weights, false);
  }

  /** Refuses latents that it does not decode. */
  public void requireChannels(int channels) {
    if (channels != decoder.channels()) {
      throw new HarmonicaException(
          "autoencoder %s decodes latents of %d channels, and the model makes %d: give the one that it was trained with, by `vae`"
              .formatted(path, decoder.channels(), channels));
    }
  }

  private static Decoder decoder(Config fields) {
    fields.require("act_fn", "silu");
    fields.require("latents_mean", "null");
    fields.require("latents_std", "null");
    List<Integer> widths = widths(fields);
    int groups = fields.integer("norm_num_groups", 32);
    fields.check(
        "norm_num_groups",
        widths.stream().allMatch(width -> width % groups == 0),
        "a number that divides each of block_out_channels " + widths);
    for (JsonNode block : fields.json().path("up_block_types")) {
      fields.check(
          "up_block_types",
          block.asText().equals("UpDecoderBlock2D"),
          "UpDecoderBlock2D only, the one supported");
    }
    int out = fields.integer("out_channels", 3);
    fields.check("out_channels", out == 1 || out == 3, "1 or 3");
    LatentSpace latents =
        new LatentSpace(
            fields.integer("latent_channels", 4),
            fields.number("scaling_factor", 0.18215),
            fields.anyNumber("shift_factor", 0));
    return new Decoder(
        latents,
        out,
        widths,
        fields.integer("layers_per_block", 1),
        groups,
        fields.flag("use_post_quant_conv").orElse(true),
        fields.flag("mid_block_add_attention").orElse(true),
        fields.flag("force_upcast").orElse(true));
  }

  private static List<Integer> widths(Config fields) {
    List<Integer> widths = new ArrayList<>();
    JsonNode array = fields.json().path("block_out_channels");
    array.forEach(width -> widths.add(width.asInt()));
    fields.check(
        "block_out_channels",
        !widths.isEmpty()
            && widths.size() <= 6
            && widths.stream().allMatch(w -> w > 0 && w < 1 << 14),
        "1 to 6 positive integers");
    return widths;
  }

  private static Source oldName(String name) {
    if (name.startsWith(ATTENTION)) {
      for (Map.Entry<String, String> part : OLD.entrySet()) {
        if (name.startsWith(ATTENTION + part.getKey() + ".")) {
          return Source.of(name.replace(part.getKey(), part.getValue()));
        }
      }
    }
    return Source.of(name);
  }
}
