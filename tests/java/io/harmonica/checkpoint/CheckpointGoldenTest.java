package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The same weights in every format that the golden vectors come in. */
@Tag("golden")
class CheckpointGoldenTest {
  private static final Path GOLDEN = Path.of(System.getProperty("golden"));

  @ParameterizedTest
  @CsvSource({
    "dit, dit/legacy",
    "t5, t5/sharded",
    "vae/legacy-names/diffusion_pytorch_model.safetensors, vae/legacy-names/diffusion_pytorch_model.bin",
  })
  void open_otherFormat_holdsTheSame(String one, String other) {
    try (Checkpoint expected = Checkpoint.open(GOLDEN.resolve(one));
        Checkpoint actual = Checkpoint.open(GOLDEN.resolve(other))) {
      assertThat(actual.names()).containsExactlyInAnyOrderElementsOf(expected.names());
      assertThat(actual.names()).hasSizeGreaterThan(20);
      for (String name : expected.names()) {
        assertThat(actual.tensor(name).shape()).isEqualTo(expected.tensor(name).shape());
        assertThat(actual.tensor(name).floats()).isEqualTo(expected.tensor(name).floats());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"dit/fp16, F16, -11", "dit/bf16, BF16, -8"})
  void open_halfPrecision_isTheNearest(String half, DType dtype, int ulpExponent) {
    assumeThat(GOLDEN.resolve(half)).exists(); // not every set has bf16
    try (Checkpoint exact = Checkpoint.open(GOLDEN.resolve("dit"));
        Checkpoint rounded = Checkpoint.open(GOLDEN.resolve(half))) {
      assertThat(rounded.names()).containsExactlyInAnyOrderElementsOf(exact.names());
      for (String name : exact.names()) {
        float[] expected = exact.tensor(name).floats();
        float[] actual = rounded.tensor(name).floats();
        assertThat(rounded.tensor(name).dtype()).isEqualTo(dtype);
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < expected.length; i++) { // 2^-25: half a step among subnormal halves
          double tolerance = Math.max(Math.scalb(Math.abs(expected[i]), ulpExponent), 0x1p-25);
          assertThat(Math.abs((double) actual[i] - expected[i]))
              .as("%s[%d]", name, i)
              .isLessThanOrEqualTo(tolerance);
        }
      }
    }
  }

  @Test
  void open_facebookFile_isTheSameModel() {
    try (Checkpoint diffusers = Checkpoint.open(GOLDEN.resolve("dit"));
        Checkpoint facebook = Checkpoint.open(GOLDEN.resolve("dit-facebook/model.pt"))) {
      JsonNode config = diffusers.config().orElseThrow();
      Map<String, List<String>> sources = sources(config.get("num_layers").intValue());
      assertThat(new TreeSet<>(facebook.names())).isEqualTo(new TreeSet<>(sources.keySet()));
      sources.forEach(
          (name, parts) -> {
            if (!name.equals("pos_embed")) { // computed, not stored, by diffusers
              assertThat(facebook.tensor(name).floats())
                  .as(name)
                  .isEqualTo(concatenated(diffusers, parts));
            }
          });
      assertThat(facebook.config()).isEmpty();
    }
  }

  /** facebook's names, each with diffusers' names of what it consists of (FACTS, section 2). */
  private static Map<String, List<String>> sources(int layers) {
    Map<String, List<String>> sources = new LinkedHashMap<>();
    sources.put("pos_embed", List.of());
    String block0 = "transformer_blocks.0.";
    sources.put(
        "y_embedder.embedding_table.weight",
        List.of(block0 + "norm1.emb.class_embedder.embedding_table.weight"));
    for (String end : List.of("weight", "bias")) {
      sources.put("x_embedder.proj." + end, List.of("pos_embed.proj." + end));
      String timestep = block0 + "norm1.emb.timestep_embedder.linear_";
      sources.put("t_embedder.mlp.0." + end, List.of(timestep + "1." + end));
      sources.put("t_embedder.mlp.2." + end, List.of(timestep + "2." + end));
      sources.put("final_layer.adaLN_modulation.1." + end, List.of("proj_out_1." + end));
      sources.put("final_layer.linear." + end, List.of("proj_out_2." + end));
      for (int i = 0; i < layers; i++) {
        String ours = "blocks." + i + ".";
        String theirs = "transformer_blocks." + i + ".";
        sources.put(
            ours + "attn.qkv." + end,
            Stream.of("q", "k", "v").map(x -> theirs + "attn1.to_" + x + "." + end).toList());
        sources.put(ours + "attn.proj." + end, List.of(theirs + "attn1.to_out.0." + end));
        sources.put(ours + "mlp.fc1." + end, List.of(theirs + "ff.net.0.proj." + end));
        sources.put(ours + "mlp.fc2." + end, List.of(theirs + "ff.net.2." + end));
        sources.put(ours + "adaLN_modulation.1." + end, List.of(theirs + "norm1.linear." + end));
      }
    }
    return sources;
  }

  private static float[] concatenated(Checkpoint checkpoint, List<String> names) {
    List<float[]> parts = names.stream().map(name -> checkpoint.tensor(name).floats()).toList();
    float[] whole = new float[parts.stream().mapToInt(part -> part.length).sum()];
    int at = 0;
    for (float[] part : parts) {
      System.arraycopy(part, 0, whole, at, part.length);
      at += part.length;
    }
    return whole;
  }

  /** Row i of the file is step T - 1 - i (FACTS, section 8). */
  @ParameterizedTest
  @CsvSource({"routing/diffusers", "routing/harmonica-reference"})
  void root_routers_areTheLogits(String routing) {
    try (TorchFile file = TorchFile.open(GOLDEN.resolve(routing + "/router.pt"));
        Checkpoint vectors = Checkpoint.open(GOLDEN.resolve(routing + "/io.safetensors"))) {
      StoredTensor logits = vectors.tensor("logits"); // (T, N)
      int branches = logits.shape().get(1).intValue();
      float[] expected = logits.floats();
      Map<?, ?> rows = (Map<?, ?>) ((Map<?, ?>) file.root()).get("routers");
      assertThat(rows).hasSize(logits.shape().get(0).intValue());
      for (int i = 0; i < rows.size(); i++) {
        float[] row = ((StoredTensor) rows.get(i + ".prob")).floats();
        int step = rows.size() - 1 - i;
        assertThat(row).hasSize(branches);
        assertThat(row)
            .isEqualTo(Arrays.copyOfRange(expected, step * branches, (step + 1) * branches));
      }
    }
  }
}
