package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.UVitVectors;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shows;
import io.harmonica.model.UVit;
import io.harmonica.model.UVitSchedule;
import io.harmonica.sampler.AnyTime;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** U-ViT's files, the golden ones and changed copies of them. */
class UVitCheckpointTest {
  private static final UVitVectors CLASSES = new UVitVectors("uvit/class-noconv");
  private static final UVitVectors TEXT = new UVitVectors("uvit/t2i");
  private static final UVitVectors NOTHING = new UVitVectors("uvit/uncond");

  @TempDir Path folder;

  @Test
  void of_eachFlavour_readsShapes() {
    assertThat(model(CLASSES).parts()).isEqualTo(new UVit.Parts(false, false, false));
    assertThat(model(CLASSES).io().shows()).isEqualTo(new Shows.Classes(10, true));
    assertThat(model(new UVitVectors("uvit/class-conv")).parts())
        .isEqualTo(new UVit.Parts(false, true, true));
    assertThat(model(TEXT).io().shows()).isEqualTo(Shows.Text.ofClip(7, 20));
    assertThat(model(NOTHING).parts()).isEqualTo(new UVit.Parts(true, false, true));
    assertThat(model(NOTHING).io().shows()).isEqualTo(new Shows.Anything());
    assertThat(model(NOTHING).io().defaultGuidance()).isEqualTo(1);
    assertThat(model(NOTHING).io().pixelsPerElement()).isEqualTo(1);
  }

  @Test
  void of_unpublishedSize_needsHeadsAndSchedule() {
    Path file = CLASSES.checkpoint();
    refused(
        file,
        Choices.NONE,
        "model.pth: 5 blocks of width 36 are no published U-ViT and the file does not say how many heads they have; add `heads` N");
    refused(
        file,
        heads(3),
        "model.pth is no published U-ViT and does not say which noise schedule it was trained on: add `schedule` discrete (latent diffusion's 1000 betas) or `schedule` continuous (the variance-preserving SDE)");
    refused(file, heads(5), "width 36 is not divisible by 5 heads; check `heads`");
  }

  @Test
  void of_tableThatSaysNothingOfANullClass_tellsWhatIsAssumed() {
    try (Checkpoint checkpoint = Checkpoint.open(CLASSES.checkpoint())) {
      assertThat(Model.of(checkpoint, CLASSES.choices()).notes())
          .singleElement()
          .asString()
          .endsWith(
              "does not say whether it has a null class, assumed: the last of its 11 label rows (if not: `noNullClass`)");
      Model all = Model.of(checkpoint, CLASSES.choices().withNoNullClass(true));
      assertThat(all.denoiser().io().shows()).isEqualTo(new Shows.Classes(11, false));
      assertThat(all.notes()).isEmpty();
    }
  }

  @Test
  void of_wrappedNames_isTheSame() {
    Map<String, Floats> weights = Checkpoints.tensors(CLASSES.checkpoint());
    Path file = Checkpoints.facebook(folder, Checkpoints.prefixed("module.", weights));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThat(Model.of(checkpoint, CLASSES.choices()).denoiser()).isEqualTo(model(CLASSES));
    }
  }

  @Test
  void of_halvesOfUnlikeDepth_isRefused() {
    changed(
        CLASSES,
        weights -> weights.keySet().removeIf(name -> name.startsWith("out_blocks.1.")),
        "has 2 in_blocks and 1 out_blocks, expected as many of both, as each of the second half takes a skip of the first");
  }

  @Test
  void of_positionsThatFitNoSquare_isRefused() {
    changed(
        CLASSES,
        weights -> weights.put("pos_embed", Floats.of(new float[19 * 36], 1, 19, 36)),
        "pos_embed has 19 positions, expected a square number up to 65536 beside those of class and time");
    changed(
        NOTHING,
        weights -> weights.put("pos_embed", Floats.of(new float[9 * 26], 1, 9, 26)),
        "pos_embed has 9 positions, expected a square number up to 65536 beside that of the time");
  }

  @Test
  void of_otherTextTokens_isRefused() {
    refused(
        TEXT.checkpoint(),
        heads(4).withSchedule(UVitSchedule.DISCRETE),
        "pos_embed has 24 positions, expected a square number up to 65536 beside that of the time and those of 77 text tokens; if prompts have others, add `textTokens` N");
  }

  @Test
  void of_classesAndTexts_isRefused() {
    changed(
        CLASSES,
        weights -> weights.put("context_embed.weight", Floats.of(new float[36 * 20], 36, 20)),
        "holds both label_emb.weight and context_embed.weight, and a U-ViT takes either classes or texts");
  }

  @Test
  void of_learnedVariance_isRefused() {
    changed(
        CLASSES,
        weights -> weights.put("decoder_pred.weight", Floats.of(new float[32 * 36], 32, 36)),
        "decoder_pred.weight has 32 rows, expected 16 for patches of 2 x 2 in 4 channels: a U-ViT learns no variance");
  }

  @Test
  void of_blockWithoutSkip_isRefused() {
    changed(
        CLASSES,
        weights -> weights.remove("out_blocks.0.skip_linear.weight"),
        "lacks the weight out_blocks.0.skip_linear.weight (expected shape [36, 72])");
  }

  @Test
  void of_moreThanWeRead_isRefused() {
    changed(
        CLASSES,
        weights -> weights.put("mid_block.attn.q_norm.weight", Floats.of(new float[12], 12)),
        "1 weight that the transformer read here does not have ('mid_block.attn.q_norm.weight')");
  }

  @Test
  void of_whatAUVitDoesNotLeaveFree_isRefused() {
    Choices choices = NOTHING.choices();
    refused(
        NOTHING.checkpoint(),
        choices.withResolution(new Resolution(64, 64)),
        "`resolution` 64x64: a U-ViT has the size that it was trained for, here 12x12");
    refused(NOTHING.checkpoint(), choices.withTextTokens(9), "`textTokens` 9: this U-ViT takes");
    refused(NOTHING.checkpoint(), choices.withNoNullClass(true), "`noNullClass`: this U-ViT");
    refused(
        Checkpoints.DIT,
        Choices.NONE.withSchedule(UVitSchedule.DISCRETE),
        "`schedule` discrete: only U-ViTs were trained on schedules that their files do not tell");
  }

  /** Names, heads, schedules and guidance as {@code configs} of baofff/U-ViT have them. */
  @ParameterizedTest
  @CsvSource({
    "U-ViT-H/2, 28, 16, 258, 58, 1.4",
    "U-ViT-H/4, 28, 16, 258, 58, 1.7",
    "U-ViT-L/2, 20, 16, 258, 42, 1.4",
    "U-ViT-L/4, 20, 16, 258, 42, 1.7",
    "U-ViT-M/4, 16, 12, 258, 34, 1",
    "U-ViT-S/2, 12, 8, 334, 26, 2",
    "U-ViT-S-Deep/2, 16, 8, 334, 34, 2",
    "U-ViT-S/4, 12, 8, 257, 26, 1"
  })
  void named_isThePublishedStructure(
      String name, int depth, int heads, int tokens, int branches, double guidance) {
    Model model = Model.named(name);
    UVit uVit = (UVit) model.denoiser();
    assertThat(uVit.architecture()).isEqualTo(name);
    assertThat(uVit.depth()).isEqualTo(depth);
    assertThat(uVit.heads()).isEqualTo(heads);
    assertThat(uVit.branchNames()).hasSize(branches);
    assertThat(uVit.branchElements()).containsOnly((long) tokens * uVit.width());
    assertThat(uVit.io().defaultGuidance()).isEqualTo(guidance);
  }

  /** The published files' shapes, as {@code configs} of baofff/U-ViT state them. */
  @ParameterizedTest
  @CsvSource({
    "28, 1152, 2, 4, 32, 1001, 0, U-ViT-H/2, discrete, 1.4, 0.18215",
    "28, 1152, 4, 4, 64, 1001, 0, U-ViT-H/4, discrete, 1.7, 0.18215",
    "20, 1024, 2, 4, 32, 1001, 0, U-ViT-L/2, continuous, 1.4, 0.18215",
    "20, 1024, 4, 4, 64, 1001, 0, U-ViT-L/4, continuous, 1.7, 0.18215",
    "20, 1024, 4, 3, 64, 1000, 0, U-ViT-L/4, continuous, 1, 0.18215",
    "16, 768, 4, 3, 64, 1000, 0, U-ViT-M/4, continuous, 1, 0.18215",
    "12, 512, 2, 4, 32, 0, 77, U-ViT-S/2, discrete, 2, 0.2301",
    "16, 512, 2, 4, 32, 0, 77, U-ViT-S-Deep/2, discrete, 2, 0.2301",
    "12, 512, 2, 3, 32, 0, 0, U-ViT-S/2, continuous, 1, 0.18215",
    "12, 512, 4, 3, 64, 0, 0, U-ViT-S/4, continuous, 1, 0.18215"
  })
  void of_publishedShape_hasItsScheduleAndClasses(
      int depth,
      int width,
      int patch,
      int channels,
      int side,
      int labels,
      int textTokens,
      String name,
      String schedule,
      double guidance,
      double latentScale) {
    Path file =
        Checkpoints.hollow(
            folder.resolve("nnet_ema.safetensors"),
            shapes(depth, width, patch, channels, side, labels, textTokens));
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      Model model = Model.of(checkpoint, Choices.NONE);
      UVit uVit = (UVit) model.denoiser();
      assertThat(uVit.architecture()).isEqualTo(name);
      assertThat(uVit.heads()).isEqualTo(width == 1152 ? 16 : width / 64);
      assertThat(uVit.io().shows())
          .isEqualTo(
              labels > 0
                  ? new Shows.Classes(1000, labels == 1001)
                  : textTokens > 0 ? Shows.Text.ofClip(textTokens, 768) : new Shows.Anything());
      assertThat(uVit.io().defaultGuidance()).isEqualTo(guidance);
      assertThat(uVit.io().origin().latentScale()).isEqualTo(latentScale);
      assertThat(uVit.io().origin().noising())
          .isEqualTo(schedule.equals("discrete") ? AnyTime.DISCRETE : AnyTime.CONTINUOUS);
      assertThat(model.notes())
          .singleElement()
          .asString()
          .contains("assumed as the published model of its sizes: " + schedule);
    }
  }

  /** Of every tensor of a file, by the reference's names. */
  private static Map<String, List<Long>> shapes(
      long depth, long width, long patch, long channels, long side, long labels, long textTokens) {
    Map<String, List<Long>> shapes = new LinkedHashMap<>();
    shapes.put("patch_embed.proj.weight", List.of(width, channels, patch, patch));
    shapes.put("patch_embed.proj.bias", List.of(width));
    long extra = 1 + (labels > 0 ? 1 : textTokens);
    shapes.put("pos_embed", List.of(1L, extra + side / patch * (side / patch), width));
    if (labels > 0) {
      shapes.put("label_emb.weight", List.of(labels, width));
    }
    if (textTokens > 0) {
      linear(shapes, "context_embed", 768, width);
    }
    for (int i = 0; i < depth / 2; i++) {
      block(shapes, "in_blocks." + i, width);
      block(shapes, "out_blocks." + i, width);
      linear(shapes, "out_blocks." + i + ".skip_linear", 2 * width, width);
    }
    block(shapes, "mid_block", width);
    norm(shapes, "norm", width);
    linear(shapes, "decoder_pred", width, patch * patch * channels);
    if (width < 1152) {
      shapes.put("final_layer.weight", List.of(channels, channels, 3L, 3L));
      shapes.put("final_layer.bias", List.of(channels));
    }
    return shapes;
  }

  private static void block(Map<String, List<Long>> shapes, String name, long width) {
    norm(shapes, name + ".norm1", width);
    shapes.put(name + ".attn.qkv.weight", List.of(3 * width, width));
    linear(shapes, name + ".attn.proj", width, width);
    norm(shapes, name + ".norm2", width);
    linear(shapes, name + ".mlp.fc1", width, 4 * width);
    linear(shapes, name + ".mlp.fc2", 4 * width, width);
  }

  private static void norm(Map<String, List<Long>> shapes, String name, long width) {
    shapes.put(name + ".weight", List.of(width));
    shapes.put(name + ".bias", List.of(width));
  }

  private static void linear(Map<String, List<Long>> shapes, String name, long in, long out) {
    shapes.put(name + ".weight", List.of(out, in));
    shapes.put(name + ".bias", List.of(out));
  }

  private static UVit model(UVitVectors vectors) {
    try (Checkpoint checkpoint = Checkpoint.open(vectors.checkpoint())) {
      return (UVit) Model.of(checkpoint, vectors.choices()).denoiser();
    }
  }

  private static Choices heads(int heads) {
    return Choices.NONE.withHeads(OptionalInt.of(heads));
  }

  private void changed(UVitVectors vectors, Consumer<Map<String, Floats>> change, String message) {
    Map<String, Floats> weights = Checkpoints.tensors(vectors.checkpoint());
    change.accept(weights);
    refused(Checkpoints.facebook(folder, weights), vectors.choices(), message);
  }

  private static void refused(Path file, Choices choices, String message) {
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThatThrownBy(() -> Model.of(checkpoint, choices))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining(message);
    }
  }
}
