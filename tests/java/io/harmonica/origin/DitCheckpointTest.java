package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.model.Dit;
import io.harmonica.model.Unconditional;
import io.harmonica.model.Weights;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DitCheckpointTest {
  private static final OptionalInt UNSTATED = OptionalInt.empty();
  private static final Path NO_NULL_CLASS =
      Path.of("tests/resources/io/harmonica/generate/no-null-class");
  private static final Map<String, Floats> DIFFUSERS = Checkpoints.tensors(Checkpoints.DIT);
  private static final Map<String, Floats> FACEBOOK = Checkpoints.tensors(Checkpoints.DIT_FACEBOOK);

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          pos_embed.proj.weight                                       | [32, 4, 2, 2]
          transformer_blocks.0.norm1.emb.timestep_embedder.linear_1.bias | [32]
          transformer_blocks.0.norm1.emb.class_embedder.embedding_table.weight | [11, 32]
          transformer_blocks.2.attn1.to_out.0.weight                  | [32, 32]
          transformer_blocks.2.ff.net.0.proj.weight                   | [128, 32]
          transformer_blocks.1.norm1.linear.bias                      | [192]
          proj_out_1.weight                                           | [64, 32]
          proj_out_2.bias                                             | [32]
          """)
  void diffusers_missingOrMisshapenWeight_isNamed(String name, String shape) {
    assertRefused(
        diffusers(without(DIFFUSERS, name)),
        UNSTATED,
        "%s lacks the weight %s (expected shape %s); is it the whole checkpoint of this architecture?"
            .formatted(folder, name, shape));
    Map<String, Floats> other = new LinkedHashMap<>(DIFFUSERS);
    other.put(name, Floats.of(new float[21], 7, 3));
    assertRefused(
        diffusers(other),
        UNSTATED,
        "%s: weight %s has shape [7, 3], expected %s; does the checkpoint match its configuration?"
            .formatted(folder, name, shape));
  }

  @Test
  void facebook_misshapenFusedWeight_isNamedAsStored() {
    Map<String, Floats> tensors = new LinkedHashMap<>(FACEBOOK);
    tensors.put("blocks.1.attn.qkv.bias", Floats.of(new float[32], 32));
    Path file = facebook(tensors);
    assertRefused(
        file,
        OptionalInt.of(2),
        file + ": weight blocks.1.attn.qkv.bias has shape [32], expected [96];");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          activation_fn           | "geglu"            | "geglu", expected gelu-approximate, the only one supported
          attention_bias          | false              | false, expected true
          norm_elementwise_affine | true               | true, expected false
          norm_type               | "ada_norm_single"  | "ada_norm_single", expected ada_norm_zero
          double_self_attention   | true               | true, expected false
          only_cross_attention    | true               | true, expected false
          cross_attention_dim     | 768                | 768, expected null
          num_vector_embeds       | 16                 | 16, expected null
          attention_type          | "gated"            | "gated", expected default
          num_layers              | 0                  | 0, expected an integer of 1 to 1048575
          num_layers              | 3.5                | 3.5, expected an integer of 1 to 1048575
          num_layers              | "3"                | "3", expected an integer of 1 to 1048575
          num_attention_heads     | -2                 | -2, expected an integer of 1 to 1048575
          attention_head_dim      | 15                 | 15, expected one that makes with num_attention_heads a width divisible by 4
          attention_head_dim      | 1000000            | 1000000, expected one that makes with num_attention_heads a width
          patch_size              | 3                  | 8, expected a multiple of patch_size 3
          sample_size             | 100000             | 100000, expected a multiple of patch_size 2, at most 256 times it
          out_channels            | 6                  | 6, expected 4, or 8 with a learned variance
          norm_eps                | 0                  | 0, expected a positive number
          norm_eps                | "small"            | "small", expected a positive number
          """)
  void diffusers_unsupportedField_isNamed(String field, String value, String expected)
      throws JsonProcessingException {
    ObjectNode config = Checkpoints.config(Checkpoints.DIT);
    config.set(field, new ObjectMapper().readTree(value));
    String named = field.equals("patch_size") ? "sample_size" : field;
    assertRefused(
        Checkpoints.diffusers(folder, config, DIFFUSERS),
        UNSTATED,
        "%s/config.json: field %s is %s".formatted(folder, named, expected));
  }

  @Test
  void diffusers_headsBesidesItsOwn_areRefused() {
    assertRefused(
        Checkpoints.DIT,
        OptionalInt.of(4),
        "tests/golden/dit/config.json: num_attention_heads is 2, `heads` says 4; leave `heads` out");
    assertThat(dit(Checkpoints.DIT, OptionalInt.of(2)).heads()).isEqualTo(2);
  }

  @Test
  void diffusers_embedderCopies_areSharedOnlyWhereEqual() {
    assertThat(dit(Checkpoints.DIT, UNSTATED).layout().sharedEmbedder()).isTrue();
    Map<String, Floats> tensors = new LinkedHashMap<>(DIFFUSERS);
    String name = "transformer_blocks.2.norm1.emb.timestep_embedder.linear_2.bias";
    float[] changed = DIFFUSERS.get(name).data().clone();
    changed[31] += 1e-3f;
    tensors.put(name, Floats.of(changed, 32));
    assertThat(dit(diffusers(tensors), UNSTATED).layout().sharedEmbedder()).isFalse();
    assertThat(dit(diffusers(without(DIFFUSERS, name)), UNSTATED).layout().sharedEmbedder())
        .isTrue();
  }

  @Test
  void diffusers_withoutConfig_isRefused() {
    Path file = facebook(DIFFUSERS);
    assertRefused(file, UNSTATED, file + " has a diffusers model's weights but no config.json");
  }

  @Test
  void facebook_unpublishedSize_needsHeads() {
    assertRefused(
        Checkpoints.DIT_FACEBOOK,
        UNSTATED,
        Checkpoints.DIT_FACEBOOK
            + ": 3 blocks of width 32 are no published DiT and the file does not say how many heads they have; add `heads` N");
  }

  @Test
  void facebook_publishedSize_hasItsHeads() {
    Map<String, Floats> tensors = new LinkedHashMap<>(FACEBOOK);
    tensors.put("x_embedder.proj.weight", Floats.of(new float[384 * 16], 384, 4, 2, 2));
    for (int block = 0; block < 12; block++) {
      tensors.put("blocks." + block + ".attn.qkv.weight", Floats.of(new float[1], 1, 1));
    }
    Path file = facebook(tensors);
    assertRefused(
        file,
        OptionalInt.of(8),
        file + ": 12 blocks of width 384 are DiT-S, which has 6 heads, `heads` says 8; leave");
    assertThat(message(file, OptionalInt.of(6)))
        .contains("has shape [32, 256], expected [384, 256]");
    assertThat(message(file, UNSTATED)).contains("has shape [32, 256], expected [384, 256]");
  }

  @Test
  void facebook_settings_bringHeadsAndClasses() {
    Path file = NO_NULL_CLASS.resolve("classes.pt");
    Dit dit = dit(file, UNSTATED);
    assertThat(dit.heads()).isEqualTo(2);
    assertThat(dit.labels()).isEqualTo(3);
    assertThat(dit.io().classes()).isEqualTo(3);
    assertThat(dit.io().unconditional()).isEqualTo(Unconditional.NONE);
    assertThat(dit(file, OptionalInt.of(2))).isEqualTo(dit);
    assertRefused(
        file,
        OptionalInt.of(4),
        file
            + ": its settings say 2 heads (args.num_heads is 2), `heads` says 4; leave `heads` out");
    assertThat(dit(NO_NULL_CLASS.resolve("one-class.pt"), UNSTATED).io().classes()).isEqualTo(1);
  }

  @Test
  void facebook_withoutSettings_isNoted_withWhatIsAssumed() {
    assertThat(notes(Checkpoints.DIT_FACEBOOK, Choices.NONE.withHeads(OptionalInt.of(2))))
        .containsExactly(
            Checkpoints.DIT_FACEBOOK
                + " does not say how it was trained, assumed as facebookresearch/DiT: predicts noise, betas linear over 1000 timesteps (so not SiT, REPA and the like); the last of 11 label rows is the null class (if not: `noNullClass`)");
    Choices none = Choices.NONE.withHeads(OptionalInt.of(2)).withNoNullClass(true);
    assertThat(notes(Checkpoints.DIT_FACEBOOK, none).get(0)).doesNotContain("null class");
    assertThat(notes(Checkpoints.DIT, Choices.NONE)).isEmpty();
  }

  @Test
  void noNullClass_ofADiffusersFolder_isTheUsersWord() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Dit dit = (Dit) Model.of(checkpoint, Choices.NONE.withNoNullClass(true)).denoiser();
      assertThat(dit.labels()).isEqualTo(11);
      assertThat(dit.io().classes()).isEqualTo(10);
      assertThat(dit.io().unconditional()).isEqualTo(Unconditional.NONE);
    }
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.PIXART)) {
      assertThatThrownBy(() -> Model.of(checkpoint, Choices.NONE.withNoNullClass(true)))
          .hasMessage(
              "`noNullClass`: a PixArt takes texts, no class labels; leave `noNullClass` out");
    }
  }

  private static List<String> notes(Path file, Choices choices) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      return Model.of(checkpoint, choices).notes();
    }
  }

  @Test
  void facebook_headsThatDoNotDivide_areRefused() {
    assertRefused(
        Checkpoints.DIT_FACEBOOK,
        OptionalInt.of(5),
        Checkpoints.DIT_FACEBOOK + ": width 32 is not divisible by 5 heads; check `heads`");
  }

  @Test
  void facebook_withoutPositions_isRefused() {
    Path file = facebook(without(FACEBOOK, "pos_embed"));
    assertRefused(file, OptionalInt.of(2), file + " lacks the weight pos_embed;");
  }

  @Test
  void facebook_oddStructure_isRefused() {
    assertRefusedWith("pos_embed", new long[] {1, 15, 32}, "15 positions, expected a square");
    assertRefusedWith("pos_embed", new long[] {16, 32}, "shape [16, 32], expected 3 dimensions");
    assertRefusedWith("x_embedder.proj.weight", new long[] {32, 4, 0, 0}, "[32, 4, 0, 0]");
    assertRefusedWith(
        "final_layer.linear.weight",
        new long[] {31, 32},
        "has 31 rows for patches of 2 x 2, expected output channels of 4, or 8");
    assertRefusedWith(
        "final_layer.linear.weight", new long[] {20, 32}, "has 20 rows for patches of 2 x 2");
    Map<String, Floats> empty = new LinkedHashMap<>(FACEBOOK);
    empty.keySet().removeIf(name -> name.startsWith("blocks."));
    Path file = facebook(empty);
    assertRefused(file, OptionalInt.of(2), file + " lacks the weight blocks.0.attn.qkv.weight;");
  }

  @Test
  void facebook_fusedProjection_isTakenApart() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT_FACEBOOK)) {
      Weights weights = Model.of(checkpoint, OptionalInt.of(2)).weights();
      String[] parts = {"q", "k", "v"};
      float[] fused = FACEBOOK.get("blocks.1.attn.qkv.weight").data();
      for (int i = 0; i < 3; i++) {
        assertThat(weights.read("blocks.1.attn." + parts[i] + ".weight", 32, 32))
            .containsExactly(Arrays.copyOfRange(fused, i * 1024, (i + 1) * 1024))
            .containsExactly(
                DIFFUSERS.get("transformer_blocks.1.attn1.to_" + parts[i] + ".weight").data());
      }
    }
  }

  private void assertRefusedWith(String name, long[] shape, String found) {
    Map<String, Floats> tensors = new LinkedHashMap<>(FACEBOOK);
    int elements = (int) Arrays.stream(shape).reduce(1, Math::multiplyExact);
    tensors.put(name, Floats.of(new float[elements], shape));
    assertThat(message(facebook(tensors), OptionalInt.of(2))).contains(name, found);
  }

  private static Map<String, Floats> without(Map<String, Floats> tensors, String name) {
    Map<String, Floats> rest = new LinkedHashMap<>(tensors);
    assertThat(rest.remove(name)).as(name).isNotNull();
    return rest;
  }

  private Path diffusers(Map<String, Floats> tensors) {
    return Checkpoints.diffusers(folder, Checkpoints.config(Checkpoints.DIT), tensors);
  }

  private Path facebook(Map<String, Floats> tensors) {
    return Checkpoints.facebook(folder, tensors);
  }

  private static Dit dit(Path path, OptionalInt heads) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      return (Dit) Model.of(checkpoint, heads).denoiser();
    }
  }

  private static void assertRefused(Path path, OptionalInt heads, String message) {
    assertThat(message(path, heads)).startsWith(message).doesNotContain("\n");
  }

  private static String message(Path path, OptionalInt heads) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      var thrown = assertThatThrownBy(() -> Model.of(checkpoint, heads));
      thrown.isInstanceOf(HarmonicaException.class);
      var message = new String[1];
      thrown.satisfies(fault -> message[0] = fault.getMessage());
      return message[0];
    }
  }
}
