package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.within;

import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RolloutTest {
  private static final int KEYS = 10_000;

  private static Set<String> keysOf(String router, Rollout rollout) {
    return IntStream.range(0, KEYS)
        .mapToObj(i -> "user-" + i)
        .filter(key -> rollout.router(key).equals(router))
        .collect(Collectors.toSet());
  }

  @Test
  void shares_areWhatTheySay_andKeysKeepTheirsAsOneGrows() {
    Set<String> tenth = keysOf("fast", Rollout.parse("fast:10%,none:90%"));
    Set<String> half = keysOf("fast", Rollout.parse(" fast:50%, none:50% "));
    // 6 standard deviations of 10,000 draws
    assertThat((double) tenth.size() / KEYS).isCloseTo(0.1, within(0.018));
    assertThat((double) half.size() / KEYS).isCloseTo(0.5, within(0.03));
    assertThat(half).containsAll(tenth);
  }

  @Test
  void tiers_areNamedAsRoutersAre() {
    assertThat(Rollout.parse("tier:fast:10%,none:90%").shares())
        .containsExactly(new Rollout.Share("tier:fast", 10), new Rollout.Share("none", 90));
    assertThat(Rollout.parse("tier:fast").router("anyone")).isEqualTo("tier:fast");
  }

  @Test
  void key_alwaysHasTheSame() {
    Rollout rollout = Rollout.parse("a:33.3%,b:33.3%,none:33.4%");
    // From SHA-256 of the key: every process agrees.
    assertThat(IntStream.range(0, 6).mapToObj(i -> rollout.router("key" + i)))
        .isEqualTo(
            IntStream.range(0, 6)
                .mapToObj(i -> Rollout.parse("a:33.3%,b:33.3%,none:33.4%").router("key" + i))
                .toList());
    assertThat(keysOf("none", rollout)).hasSizeBetween(3_000, 3_700);
  }

  @Test
  void nameAlone_isAll() {
    assertThat(Rollout.parse("fast").router("anybody")).isEqualTo("fast");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "fast:10%",
        "fast:10%,none:91%",
        "fast:10,none:90",
        "a:50%,a:50%",
        "a,b",
        "a:x%"
      })
  void otherText_isRefused(String text) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Rollout.parse(text))
        .withMessageMatching("router shares .*|'.*' is no router's share, .*");
  }
}
