package io.harmonica.cli;

import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.Sd3Folder;
import io.harmonica.checkpoint.Checkpoint;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Skip-layer guidance as users state it. */
@Tag("golden")
class SkipLayersCommandTest {
  private static final String GENERATE =
      "generate --model-repository DIR/models --model sd3 --steps 4 --prompt cat"
          + " --save-latents DIR/NAME.safetensors --out DIR/NAME";

  @TempDir Path folder;

  private Invocation export(String more) throws IOException {
    Path pipeline = folder.resolve("sd3");
    if (!pipeline.toFile().exists()) {
      Sd3Folder.write(pipeline);
    }
    return Invocation.export(
        ("--checkpoint DIR/sd3 --resolution 12x20 --text-tokens 26 --model-repository DIR/models "
                + more)
            .replace("DIR", folder.toString())
            .split(" "));
  }

  private Invocation generate(String name, String more) {
    return Invocation.of(
        (GENERATE + " " + more)
            .replace("DIR", folder.toString())
            .replace("NAME", name)
            .strip()
            .split(" "));
  }

  private float[] latents(String name) {
    try (Checkpoint saved = Checkpoint.open(folder.resolve(name + ".safetensors"))) {
      return floats(saved, "latents");
    }
  }

  @Test
  void generate_takesIt_whereThePassWasExported() throws IOException {
    assertThat(export("--skip-layers 1").err()).isEmpty();
    assertThat(generate("plain", "").err()).isEmpty();
    assertThat(generate("whole", "--skip-layer-guidance 2.8,0.01,0.6").err()).isEmpty();
    assertThat(generate("less", "--skip-layer-guidance 1.4,0.01,0.6").err()).isEmpty();
    assertThat(Golden.difference(latents("plain"), latents("whole"))).isGreaterThan(1e-2);
    assertThat(Golden.difference(latents("less"), latents("whole"))).isGreaterThan(1e-2);
    assertThat(generate("short", "--skip-layer-guidance 2.8").err())
        .isEqualTo(
            "error: --skip-layer-guidance from 0.01 to 0.2 acts at none of 4 steps (k from 0,"
                + " 0.04 < k < 0.80): take more steps, or a wider range\n");
    assertThat(folder.resolve("short")).doesNotExist();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "much        | '--skip-layer-guidance ''much'' must be a number, or three: scale, start, stop, as 2.8,0.01,0.2'",
        "1,2         | '--skip-layer-guidance ''1,2'' must be a number, or three: scale'",
        "1,,2        | '--skip-layer-guidance ''1,,2'' must be a number'",
        "0           | '--skip-layer-guidance scale 0.0 must be a number above 0'",
        "NaN         | '--skip-layer-guidance scale NaN must be a number above 0'",
        "1,0.5,0.2   | '--skip-layer-guidance from 0.5 to 0.2 of the steps must be a range within 0 to 1'",
        "1,0.01,0.6  | 'model sd3 has no pass without blocks for --skip-layer-guidance: leave it out, or export Stable Diffusion 3 with --skip-layers'"
      })
  void values_thatDoNotFit_areRefused(String value, String words) throws IOException {
    export("");
    Invocation refused = generate("none", "--skip-layer-guidance " + value);
    assertThat(refused.err()).contains(words).hasLineCount(1);
    assertThat(refused.code()).isNotZero();
    assertThat(folder.resolve("none")).doesNotExist();
  }

  @Test
  void export_refusesBlocksThatAreNotThere_inADryRunToo() throws IOException {
    for (String more : new String[] {"", " --dry-run"}) {
      assertThat(export("--skip-layers 1,9" + more).err())
          .isEqualTo("error: --skip-layers 1,9 must name some of the blocks 0..2 of SD3-3x24/2\n");
    }
    assertThat(folder.resolve("models")).doesNotExist();
  }

  /** A measurement has no such option: it says so, and measures nothing. */
  @Test
  void compare_refusesIt() {
    Invocation refused =
        Invocation.of(
            "compare --model-repository m --model sd3 --a none --b none,skip-layer-guidance=2"
                .split(" "));
    assertThat(refused.code()).isEqualTo(2);
    assertThat(refused.err()).contains("skip-layer-guidance");
  }
}
