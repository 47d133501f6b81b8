package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CacheSchedulesTest {
  private static final List<String> BRANCHES = Routers.branches(4);

  @TempDir Path folder;

  private CacheSchedules.Table read(CacheSchedules format, String text) throws IOException {
    return format.read(Files.writeString(folder.resolve("s.json"), text), BRANCHES);
  }

  private static List<String> picture(CacheSchedules.Table table) {
    return Arrays.stream(table.scores())
        .map(
            row ->
                IntStream.range(0, row.length)
                    .mapToObj(c -> row[c] > 0 ? "x" : ".")
                    .reduce("", String::concat))
        .toList();
  }

  /** As its files for DiT have it: rows from the first executed step on. */
  @Test
  void smoothCache_byComponent_isOfAllBlocks() throws IOException {
    CacheSchedules.Table table =
        read(CacheSchedules.SMOOTHCACHE, "{\"attn\": [1, 0, 0, 1], \"mlp\": [1, 0, 1, 1]}");
    assertThat(picture(table)).containsExactly("xxxxxxxx", "........", ".x.x.x.x", "xxxxxxxx");
    assertThat(table.runs()).isEmpty();
  }

  @Test
  void smoothCache_componentThatIsNotNamed_isComputed() throws IOException {
    assertThat(picture(read(CacheSchedules.SMOOTHCACHE, "{\"attn1\": [1, 0]}")))
        .containsExactly("xxxxxxxx", ".x.x.x.x");
    assertThat(picture(read(CacheSchedules.SMOOTHCACHE, "{\"ff-2\": [1, 0], \"attn-0\": [1, 0]}")))
        .containsExactly("xxxxxxxx", ".xxxx.xx");
  }

  @Test
  void cacheDit_isARunBetweenItsFirstAndLastBlocks() throws IOException {
    CacheSchedules.Table table =
        read(
            CacheSchedules.CACHE_DIT,
            """
            {"Fn_compute_blocks": 1, "Bn_compute_blocks": 1, "num_inference_steps": 4,
             "residual_diff_threshold": 0.08, "steps_computation_mask": [1, 0, 1, 0],
             "steps_computation_policy": "static"}
            """);
    assertThat(table.runs()).containsExactly(new Run(2, 5));
    assertThat(picture(table)).containsExactly("xxxxxxxxx", "xx....xx.", "xxxxxxxxx", "xx....xx.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          SMOOTHCACHE | [1, 0]                           | found no JSON object
          SMOOTHCACHE | {}                               | it names no component
          SMOOTHCACHE | {"norm1": [1, 0]}                | "norm1" is no component of its blocks, expected attn
          SMOOTHCACHE | {"attn2": [1, 0]}                | "attn2" is no component of its blocks
          SMOOTHCACHE | {"attn-4": [1, 0]}               | "attn-4" is no component of its blocks
          SMOOTHCACHE | {"attn": [0, 1]}                 | "attn" reuses at step 0, where nothing is cached yet
          SMOOTHCACHE | {"attn": [1, 2]}                 | "attn" has 2 at step 1, expected 1 or 0
          SMOOTHCACHE | {"attn": [1, 0], "mlp": [1]}     | has 2 steps and block00.mlp 1, expected as many
          SMOOTHCACHE | {"attn": [1], "attn1": [1]}      | two schedules are for block00.attention, "attn1" the second
          SMOOTHCACHE | {"attn": [1                      | no valid JSON
          CACHE_DIT   | {"steps_computation_mask": [1]}  | steps_computation_policy is missing, so "dynamic", expected "static"
          CACHE_DIT   | {"steps_computation_policy": "static"} | "steps_computation_mask" is no list of steps
          CACHE_DIT   | {"steps_computation_policy": "static", "steps_computation_mask": [1, 0]} | Fn_compute_blocks 8 and Bn_compute_blocks 0 leave nothing of 4 blocks
          CACHE_DIT   | {"taylorseer_order": 1}          | field "taylorseer_order" is not followed
          CACHE_DIT   | {"steps_computation_policy": "static", "steps_computation_mask": [1, 0], "num_inference_steps": 3} | has 2 steps, num_inference_steps says 3
          """)
  void fault_isOneLine_thatSaysWhat(CacheSchedules format, String text, String message) {
    assertThatThrownBy(() -> read(format, text))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("s.json")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }
}
