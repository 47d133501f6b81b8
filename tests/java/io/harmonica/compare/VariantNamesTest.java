package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Timesteps;
import io.harmonica.router.Fora;
import io.harmonica.router.Router;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VariantNamesTest {
  private static Setting setting(String... pairs) {
    Map<String, String> common = Map.of("model-repository", "/models", "model", "m");
    return Setting.of(Setting.fields(String.join(",", pairs), ""), common, "");
  }

  private static List<String> names(Setting... settings) {
    return VariantNames.named(List.of(settings)).stream().map(Setting::name).toList();
  }

  @Test
  void named_takesTheRouter_whereThatTells() {
    assertThat(names(setting("none"), setting("fora-2"))).containsExactly("none", "fora-2");
  }

  @Test
  void named_addsWhatDiffers() {
    assertThat(names(setting("steps=14"), setting("steps=20"), setting("router=r,steps=20")))
        .containsExactly("none (14 steps)", "none (20 steps)", "r");
    assertThat(names(setting("none"), setting("triton=h:1")))
        .containsExactly("none (embedded)", "none (Triton at h:1)");
  }

  @Test
  void named_addsThePlace_whereThatDiffers() {
    assertThat(names(setting("none"), setting("model-repository=/new"), setting("r")))
        .containsExactly("none (embedded, /models)", "none (embedded, /new)", "r");
  }

  @Test
  void named_letters_whatDoesNotDiffer() {
    assertThat(names(setting("none"), setting("none"))).containsExactly("none a", "none b");
  }

  @Test
  void named_keepsGivenNames() {
    assertThat(names(setting("name=old,router=r"), setting("name=new,router=r")))
        .containsExactly("old", "new");
  }

  @Test
  void description_saysWhatTheRouterDoes_andWhatDiffers() {
    Router fora =
        new Fora(2)
            .router("f", "m", "ddim", Timesteps.of(List.of(3, 2, 1, 0)), List.of("block00.mlp"));
    Setting a = setting("steps=20");
    Setting b = setting("router=f,steps=14");
    assertThat(VariantNames.description(b, Optional.of(fora), List.of(a, b)))
        .isEqualTo("one step in 2 computes, the others reuse, 14 steps");
    assertThat(VariantNames.description(a, Optional.empty(), List.of(a, b)))
        .isEqualTo("every branch computed, 20 steps");
  }

  @Test
  void common_saysTheRest() {
    assertThat(
            VariantNames.common(
                List.of(
                    setting("steps=20,guidance=1.5"), setting("router=f,steps=20,guidance=1.5"))))
        .isEqualTo("20 steps, guidance 1.5");
    assertThat(
            VariantNames.common(
                List.of(setting("steps=20,guidance=1.5"), setting("steps=14,guidance=1.5"))))
        .isEqualTo("guidance 1.5");
  }
}
