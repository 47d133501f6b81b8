package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.Exports;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Which linear maps are in 8 bits, and that embeddings and heads are not. */
class Int8MapsTest {
  @Test
  void dit_hasSixABlock_andItsModulation() {
    Int8Maps maps = Int8Maps.of(DitPresets.named("DiT-XL/2"));
    assertThat(maps.tokens())
        .hasSize(28 * 6)
        .contains("blocks.27.attn.q.weight", "blocks.0.mlp.fc2.weight")
        .noneMatch(name -> name.contains("adaLN") || name.contains("embed"));
    assertThat(maps.vectors())
        .contains("blocks.3.adaLN_modulation.1.weight")
        .noneMatch(name -> name.startsWith("final_layer"));
  }

  @Test
  void pixArt_hasItsCaptionsKeysToo() {
    assertThat(Int8Maps.of(PixArt.xl()).tokens())
        .hasSize(28 * 10)
        .contains("transformer_blocks.3.attn2.to_k.weight");
  }

  /** Which lie on the stream itself: an error there stays. */
  @Test
  void uVit_hasNoLongSkips_andMapsWithoutBias() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.UVIT)) {
      assertThat(Int8Maps.of(Exports.uVit(checkpoint, UVitSchedule.DISCRETE).denoiser()).tokens())
          .hasSize(5 * 6)
          .contains("mid_block.attn.q.weight")
          .noneMatch(name -> name.contains("skip"));
    }
  }

  @Test
  void flux_hasBothStreams_andBlocksOfOne() {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("tests/golden/flux/dev"))) {
      assertThat(Int8Maps.of(Exports.model(checkpoint).denoiser()).tokens())
          .containsAll(
              List.of(
                  "transformer_blocks.0.attn.add_k_proj.weight",
                  "transformer_blocks.0.ff_context.net.2.weight",
                  "single_transformer_blocks.0.proj_out.weight"))
          .noneMatch(name -> name.contains("norm") || name.startsWith("proj_out"));
    }
  }
}
