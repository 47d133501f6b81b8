package io.harmonica.export;

import static io.harmonica.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Inference;
import io.harmonica.Reference;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import io.harmonica.runtime.EmbeddedRuntime;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/**
 * A diffusers checkpoint carries a timestep and label embedder in every block. They are equal after
 * a conversion, and may differ after training: then each block has to use its own.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class EmbedderCopiesTest {
  private static final Path VECTORS = Checkpoints.DIT.resolve("io.safetensors");
  private static final float SHIFT = 0.25f;

  private Map<String, Floats> weights;
  private Map<String, float[]> conditions;
  private float[] tokens;

  /** Every row of block 1's label table is shifted by the same number. */
  @BeforeAll
  void embed(@TempDir Path folder) {
    weights = new LinkedHashMap<>(Checkpoints.tensors(Checkpoints.DIT));
    String table = "transformer_blocks.1.norm1.emb.class_embedder.embedding_table.weight";
    Floats shifted = weights.get(table);
    weights.put(
        table, new Floats(shifted.shape(), Reference.map(shifted.data(), value -> value + SHIFT)));
    Path checkpoint =
        Checkpoints.diffusers(
            folder.resolve("copies"), Checkpoints.config(Checkpoints.DIT), weights);
    Path repository =
        Exports.export(
            checkpoint,
            OptionalInt.empty(),
            List.of(),
            ExportOptions.of("dit"),
            folder.resolve("repository"));
    try (EmbeddedRuntime runtime = EmbeddedRuntime.open(repository);
        Checkpoint io = Checkpoint.open(VECTORS)) {
      long[] timestep = io.tensor("timestep").longs();
      long[] label = io.tensor("class_labels").longs();
      conditions =
          Inference.run(
              runtime, "dit-condition", 3, Map.of("timestep", timestep, "class_label", label));
      float[] sample = io.tensor("hidden_states").floats();
      tokens = Inference.run(runtime, "dit-embed", 3, Map.of("sample", sample)).get("hidden");
    }
  }

  @Test
  void blockWithItsOwnEmbedder_usesIt() {
    float[] condition = vector("conditioning"); // before the silu, as all embedders gave it
    float[] own = Reference.map(condition, value -> Reference.silu(value + SHIFT));
    float[] expected =
        Reference.linear(
            own,
            weights.get("transformer_blocks.1.norm1.linear.weight").data(),
            weights.get("transformer_blocks.1.norm1.linear.bias").data());
    assertClose("block 1", conditions.get("block01.modulation"), expected, 1e-5);
    assertThat(conditions.get("block01.modulation"))
        .isNotEqualTo(Arrays.copyOf(vector("block1.modulation"), expected.length));
  }

  @Test
  void otherBlocks_andTheHead_useTheirs() {
    assertClose("block 0", conditions.get("block00.modulation"), vector("block0.modulation"), 1e-5);
    assertClose("block 2", conditions.get("block02.modulation"), vector("block2.modulation"), 1e-5);
    float[] head =
        Reference.linear(
            Reference.map(vector("conditioning"), Reference::silu),
            weights.get("proj_out_1.weight").data(),
            weights.get("proj_out_1.bias").data());
    assertClose("head", conditions.get("head.modulation"), head, 1e-5);
    assertClose("tokens", tokens, vector("tokens"), 1e-5);
  }

  private static float[] vector(String name) {
    try (Checkpoint io = Checkpoint.open(VECTORS)) {
      return io.tensor(name).floats();
    }
  }
}
