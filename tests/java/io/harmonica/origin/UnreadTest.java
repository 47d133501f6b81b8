package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnreadTest {
  private static final Path RESOURCES = Path.of("tests/resources/io/harmonica/model");

  @TempDir Path folder;

  /** A DiT of facebook's names whose attention normalises q and k. */
  @Test
  void normsOfQueriesAndKeys_areRefused() {
    Path file = RESOURCES.resolve("qk_norm.pt");
    assertThat(refusal(file))
        .isEqualTo(
            file
                + " holds 4 weights that the transformer read here does not have ('blocks.0.attn.q_norm.weight', 'blocks.0.attn.q_norm.bias', 'blocks.0.attn.k_norm.weight', ...): it is another model, and would draw other pictures; give one of the published architecture, or leave out of the file what changes nothing");
  }

  @ParameterizedTest
  @CsvSource({
    "dit, transformer_blocks.1.norm1.weight",
    "dit, transformer_blocks.2.attn1.norm_q.weight",
    "dit, transformer_blocks.3.attn1.to_q.weight", // more blocks than num_layers
    "dit, transformer_blocks.1.norm1.emb.size_embedder.weight", // no copy of block 0's
    "dit, proj_out_2.gain",
    "dit-facebook/model.pt, final_layer.norm_final.weight",
    "dit-facebook/model.pt, blocks.4.attn.qkv.weight", // block 3 is missing
    "dit-facebook/model.pt, blocks.0.attn.rope.freqs",
    "pixart/alpha-256-like, transformer_blocks.0.norm2.bias",
    "pixart/alpha-256-like, adaln_single.emb.resolution_embedder.linear_1.weight",
    "vae, decoder.mid_block.resnets.0.time_emb_proj.weight",
    "vae/legacy-names, decoder.mid_block.attentions.0.to_q.weight",
    "t5, encoder.block.1.layer.0.SelfAttention.relative_attention_bias.weight", // UMT5's
  })
  void weightsBesideThoseThatAreRead_areRefused(String golden, String name) {
    assertThat(refusal(with(golden, name)))
        .contains(
            " holds 1 weight that the ",
            " read here does not have ('" + name + "'): it is another model")
        .doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource({
    "dit, register_tokens, 1 weight that the transformer read here does not have ('register_tokens')",
    "dit-facebook/model.pt, head2.weight, 1 weight that the transformer read here does not have ('head2.weight')",
    "vae, loss.logvar, 1 weight that the autoencoder's decoder read here does not have ('loss.logvar')",
    "t5, classifier.bias, 1 weight that the text encoder read here does not have ('classifier.bias')",
  })
  void weightsElsewhere_areTold(String golden, String name, String told) {
    Path path = with(golden, name);
    assertThat(note(path)).hasValueSatisfying(note -> assertThat(note).contains(told));
    assertThat(note(path).get()).startsWith(path.toString()).doesNotContain("\n");
  }

  @ParameterizedTest
  @CsvSource({
    "dit, pos_embed.pos_embed",
    "dit, transformer_blocks.0.attn1.total_ops", // as thop counts FLOPs
    "dit-facebook/model.pt, total_params",
    "pixart/alpha-256-like, pos_embed.pos_embed",
    "pixart/alpha-256-like, caption_projection.y_embedding",
    "vae, quant_conv.more",
    "t5, encoder.embed_tokens.weight",
    "t5, encoder.position_ids",
  })
  void whatChangesNothing_isNotTold(String golden, String name) {
    assertThat(note(with(golden, name))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tests/golden/dit",
        "tests/golden/dit-facebook/model.pt",
        "tests/golden/pixart/alpha-256-like",
        "tests/golden/pixart/alpha-1024-like",
        "tests/golden/pixart/sigma-like",
        "tests/golden/vae",
        "tests/golden/vae/legacy-names",
        "tests/golden/t5",
        "tests/golden/t5/sharded",
        "export/shapes-dit",
      })
  void checkpointsThatAreReadWhole_haveNothingToTell(String path) {
    assertThat(note(Path.of(path))).isEmpty();
  }

  /** The other half of a T5, and of an autoencoder, as transformers and diffusers name them. */
  @Test
  void halvesThatAreNotRead_areNotTold() throws IOException {
    assertThat(names("t5_whole")).contains("lm_head.weight").hasSizeGreaterThan(50);
    assertThat(note(with("t5", names("t5_whole").toArray(String[]::new)))).isEmpty();
    assertThat(names("vae")).contains("quant_conv.bias").hasSizeGreaterThan(120);
    assertThat(note(with("vae", names("vae").toArray(String[]::new)))).isEmpty();
  }

  /** As peft saves a model in training, and its adapter alone; and as kohya's scripts save that. */
  @ParameterizedTest
  @CsvSource({
    "lora_in_training, in 28 weights",
    "lora_adapter, in 14 weights",
    "lora_kohya, in 14 weights",
  })
  void unmergedAdapter_isToBeMergedFirst(String file, String found) throws IOException {
    Map<String, Floats> tensors = new LinkedHashMap<>();
    names(file).forEach(name -> tensors.put(name, Floats.of(new float[1], 1)));
    for (Path path :
        List.of(
            Checkpoints.diffusers(
                folder.resolve("d"), Checkpoints.config(Checkpoints.PIXART), tensors),
            Checkpoints.facebook(folder, tensors))) {
      assertThat(refusal(path))
          .startsWith(path + " holds an adapter (LoRA) that is not merged, " + found + " ('")
          .endsWith(
              "): merge it into its model first, with peft: PeftModel.from_pretrained(model, ADAPTER).merge_and_unload().save_pretrained(DIR), then give DIR");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "dit: transformer_blocks.0.attn1.to_q.lora_A.weight",
        "dit: transformer_blocks.0.attn1.processor.to_q_lora.down.weight",
        "dit-facebook/model.pt: blocks.0.attn.qkv.lora_up.weight",
        "vae: decoder.mid_block.attentions.0.to_q.lora_B.default.weight",
        "t5: encoder.block.0.layer.0.SelfAttention.q.base_layer.weight",
      })
  void adapterBesideItsModel_isToBeMergedFirst(String name) {
    String[] words = name.split(": ");
    assertThat(refusal(with(words[0], words[1])))
        .contains("holds an adapter (LoRA) that is not merged, in 1 weight ('" + words[1] + "')");
  }

  /** As ComfyUI, compressed-tensors, bitsandbytes, quanto and GPTQ name them. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "dit: transformer_blocks.0.attn1.to_q.weight_scale",
        "dit: proj_out_2.input_scale",
        "dit: scaled_fp8",
        "dit: transformer_blocks.0.ff.net.2.weight._data",
        "dit-facebook/model.pt: blocks.0.attn.qkv.scale_weight",
        "pixart/alpha-256-like: transformer_blocks.0.ff.net.2.qweight",
        "vae: decoder.conv_out.weight_zero_point",
        "t5: encoder.block.0.layer.0.SelfAttention.q.SCB",
        "t5: encoder.block.0.layer.0.SelfAttention.q.weight.quant_state.bitsandbytes__nf4",
      })
  void quantisedWeights_areRefused(String name) {
    String[] words = name.split(": ");
    assertThat(refusal(with(words[0], words[1])))
        .contains("holds quantised weights, in 1 weight ('" + words[1] + "'): give the checkpoint");
  }

  private static List<String> names(String of) throws IOException {
    JsonNode all = new ObjectMapper().readTree(RESOURCES.resolve("unread.json").toFile());
    List<String> names = new ArrayList<>();
    all.path(of).forEach(name -> names.add(name.asText()));
    return names;
  }

  /** A copy of a golden checkpoint with more tensors, where it has none of that name. */
  private Path with(String golden, String... names) {
    Path from = Path.of("tests/golden", golden);
    Map<String, Floats> tensors = Checkpoints.tensors(from);
    for (String name : names) {
      tensors.putIfAbsent(name, Floats.of(new float[1], 1));
    }
    return golden.endsWith(".pt")
        ? Checkpoints.facebook(folder, tensors)
        : Checkpoints.diffusers(folder, Checkpoints.config(from), tensors);
  }

  private static String refusal(Path path) {
    HarmonicaException fault =
        Assertions.catchThrowableOfType(HarmonicaException.class, () -> note(path));
    return fault.getMessage();
  }

  /** Opens it as what it is. */
  private static Optional<String> note(Path path) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      String fields = checkpoint.config().map(JsonNode::toString).orElse("");
      if (fields.contains("AutoencoderKL")) {
        return Autoencoder.of(checkpoint).weights().note();
      }
      if (fields.contains("\"model_type\":\"t5\"")) {
        return TextCheckpoint.of(checkpoint).weights().note();
      }
      OptionalInt heads = fields.isEmpty() ? OptionalInt.of(2) : OptionalInt.empty();
      return Model.of(checkpoint, heads).weights().note();
    }
  }
}
