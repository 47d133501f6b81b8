package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import org.junit.jupiter.api.Test;

class DitPresetsTest {
  @Test
  void name_ofPublishedSize_isTheirs() {
    assertThat(DitPresets.name(28, 1152, 2)).isEqualTo("DiT-XL/2");
    assertThat(DitPresets.name(12, 384, 8)).isEqualTo("DiT-S/8");
  }

  @Test
  void name_ofAnotherSize_spellsItOut() {
    assertThat(DitPresets.name(10, 192, 4)).isEqualTo("DiT-10x192/4");
    assertThat(DitPresets.name(12, 1152, 2)).isEqualTo("DiT-12x1152/2");
  }

  @Test
  void named_isWhatItsNameSays() {
    Dit dit = DitPresets.named("DiT-B/4");
    assertThat(dit.architecture()).isEqualTo("DiT-B/4");
    assertThat(dit.heads()).isEqualTo(12);
    assertThat(dit.branchElements()).containsOnly(64 * 768L);
    assertThat(dit.branches()).hasSize(24);
  }

  @Test
  void named_unknown_listsTheKnown() {
    assertThatThrownBy(() -> DitPresets.named("DiT-XXL/2"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "unknown architecture 'DiT-XXL/2'; known: DiT-XL, DiT-L, DiT-B, DiT-S, each with /2, /4 or /8, PixArt-XL/2, U-ViT-H/2, U-ViT-H/4, U-ViT-L/2, U-ViT-L/4, U-ViT-M/4, U-ViT-S/2, U-ViT-S-Deep/2, U-ViT-S/4");
  }
}
