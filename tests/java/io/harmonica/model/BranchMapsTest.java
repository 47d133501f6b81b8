package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.Exports;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class BranchMapsTest {
  @Test
  void dit_hasSixABlock_andNoModulation() {
    assertThat(BranchMaps.of(DitPresets.named("DiT-XL/2")))
        .hasSize(28 * 6)
        .contains("blocks.27.attn.q.weight", "blocks.0.mlp.fc2.weight")
        .noneMatch(name -> name.contains("adaLN") || name.contains("embed"));
  }

  @Test
  void pixArt_hasItsCaptionsKeysToo() {
    assertThat(BranchMaps.of(PixArt.xl()))
        .hasSize(28 * 10)
        .contains("transformer_blocks.3.attn2.to_k.weight");
  }

  /** Which lie on the stream itself: an error there stays. */
  @Test
  void uVit_hasNoLongSkips_andMapsWithoutBias() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.UVIT)) {
      assertThat(BranchMaps.of(Exports.uVit(checkpoint, UVitSchedule.DISCRETE).denoiser()))
          .hasSize(5 * 6)
          .contains("mid_block.attn.q.weight")
          .noneMatch(name -> name.contains("skip"));
    }
  }

  @Test
  void flux_hasBothStreams_andBlocksOfOne() {
    try (Checkpoint checkpoint = Checkpoint.open(Path.of("tests/golden/flux/dev"))) {
      assertThat(BranchMaps.of(Exports.model(checkpoint).denoiser()))
          .containsAll(
              List.of(
                  "transformer_blocks.0.attn.add_k_proj.weight",
                  "transformer_blocks.0.ff_context.net.2.weight",
                  "single_transformer_blocks.0.proj_out.weight"))
          .noneMatch(name -> name.contains("norm") || name.startsWith("proj_out"));
    }
  }
}
