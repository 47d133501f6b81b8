package io.harmonica.cli;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Golden;
import io.harmonica.Trees;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.repository.Names;
import io.harmonica.router.Router;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Spacing;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The commands on U-ViTs: of classes, of texts, and of neither. */
@Tag("golden")
class UVitCommandsTest {
  private static final String CLASSES =
      "--checkpoint GOLDEN/class-noconv/model.pth --heads 3 --schedule discrete";
  private static final String NOTHING =
      "--checkpoint GOLDEN/uncond/model.pth --heads 2 --schedule continuous";
  private static final String TEXT =
      "--checkpoint GOLDEN/t2i/model.pth --heads 4 --schedule discrete --text-tokens 7";
  private static final String VAE = "--vae GOLDEN/autoencoder/autoencoder_kl.pth";

  @TempDir Path folder;

  private String[] words(String line) {
    return line.replace("GOLDEN", Golden.path("uvit").toString())
        .replace("DIR", folder.toString())
        .strip()
        .split(" +");
  }

  private Invocation run(String line) {
    return Invocation.of(words(line));
  }

  private Invocation export(String line) {
    return Invocation.run(
        console -> HarmonicaExport.run(words(line), console.out(), console.err()));
  }

  private static String done(Invocation invocation) {
    assertThat(invocation.err().lines().filter(line -> line.startsWith("error"))).isEmpty();
    assertThat(invocation.code()).isZero();
    return invocation.out();
  }

  @Test
  void ofClasses_isRouted_exported_drawn_compared_andTrained() {
    done(run("policy fora " + CLASSES + " --steps 6 --interval 2 --out DIR/fora.json"));
    assertThat(Router.read(folder.resolve("fora.json")).timesteps())
        .isEqualTo(AnyTime.DISCRETE.sampler("dpm-solver-fast", 6, Spacing.UNIFORM).timesteps());
    assertThat(done(run("inspect --router DIR/fora.json " + CLASSES)))
        .contains("fora for U-ViT-4x36/2, sampler dpm-solver-fast", "CUR 0.500, theoretical")
        .contains("\n   2 667.0000  ██ ██"); // 667.00006 would shift the row
    done(
        run(
            "train --steps 4 --iterations 2 --batch 1 --exchange 1 --target-cur 0.4 --out DIR/own.json "
                + CLASSES));
    assertThat(Router.read(folder.resolve("own.json")).sampler()).isEqualTo("dpm-solver-fast");
    done(
        export(
            CLASSES
                + " --router DIR/fora.json --router DIR/own.json --model-name u --model-repository DIR/models "
                + VAE));
    String drawn = " --model-repository DIR/models --model u";
    done(run("generate --classes 0,3 --router own --out DIR/drawn" + drawn));
    assertThat(folder.resolve("drawn/0001-class3.png")).exists();
    assertThat(
            done(
                run(
                    "compare --steps 6 --a none --b fora --classes 1 --rounds 1 --warm-up 0"
                        + drawn)))
        .contains("fora");
  }

  @Test
  void ofNothing_drawsSoManyPictures() {
    done(export(NOTHING + " --model-name n --model-repository DIR/models"));
    String drawn = " --model-repository DIR/models --model n --steps 4";
    done(run("generate --pictures 2 --out DIR/drawn" + drawn));
    assertThat(folder.resolve("drawn/0001-picture.png")).exists();
    done(run("generate --pictures 1 --count 3 --out DIR/many" + drawn));
    assertThat(folder.resolve("many/0002-picture.png")).exists();
    assertThat(run("generate --classes 1 --out DIR/no" + drawn).err())
        .isEqualTo("error: model n takes neither classes nor texts, not classes: use --pictures\n");
    assertThat(run("generate --pictures 1 --guidance 2 --out DIR/no" + drawn).err())
        .startsWith("error: guidance 2.0 needs a class or a text to lead towards");
    assertThat(folder.resolve("no")).doesNotExist();
    assertThat(
            done(run("compare --a none --b steps=2 --rounds 1 --warm-up 0 --pictures 2" + drawn)))
        .contains("steps");
    assertThat(run("compare --a none --b steps=2 --classes 0" + drawn).err())
        .contains("--classes has no effect on models that take neither classes nor texts");
    done(
        run(
            "train --steps 4 --iterations 2 --batch 1 --target-cur 0.4 --out DIR/own.json "
                + NOTHING));
  }

  /** What the file of the autoencoder does not say. */
  @Test
  void latentScale_isTheOrigins_orTheStatedOne() {
    assertDecodes(CLASSES, 0.18215);
    assertDecodes(TEXT, 0.2301);
    assertDecodes(CLASSES + " --latent-scale 0.5", 0.5);
  }

  /** The golden latents, scaled anew, become the golden pictures. */
  private void assertDecodes(String options, double scale) {
    String line = " --force --model-name v --model-repository DIR/models ";
    done(export(options + line + VAE));
    try (Checkpoint io = Golden.open("uvit/autoencoder/io.safetensors");
        EmbeddedRuntime runtime = EmbeddedRuntime.open(folder.resolve("models"))) {
      List<Long> shape = io.tensor("z").shape();
      float[] latents = new float[(int) (shape.get(1) * shape.get(2) * shape.get(3))]; // one
      for (int i = 0; i < latents.length; i++) {
        latents[i] = (float) (floats(io, "z")[i] * scale / 0.18215);
      }
      try (Tensor given =
              runtime.tensor(
                  FloatBuffer.wrap(latents), 1, shape.get(1), shape.get(2), shape.get(3));
          Tensor made =
              runtime
                  .infer("v-decoder", Map.of(Names.LATENTS, given), Set.of(Names.PIXELS))
                  .get(Names.PIXELS)) {
        float[] decoded = new float[made.floats().remaining()];
        made.floats().get(decoded);
        float[] expected = Arrays.copyOf(floats(io, "decoded"), decoded.length);
        assertClose("decoded", decoded, expected, 2e-5 * largest(expected));
      }
    }
  }

  private static float largest(float[] values) {
    float largest = 1;
    for (float value : values) {
      largest = Math.max(largest, Math.abs(value));
    }
    return largest;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          2 | --checkpoint GOLDEN/uncond/model.pth --schedule cosine | --schedule is 'cosine'
          1 | --checkpoint GOLDEN/uncond/model.pth --heads 2 | does not say which noise schedule it was trained on: add --schedule discrete
          1 | --checkpoint GOLDEN/uncond/model.pth --schedule discrete | add --heads N
          1 | --checkpoint tests/golden/dit --schedule discrete | --schedule discrete: only U-ViTs were trained on schedules
          2 | --checkpoint GOLDEN/class-noconv/model.pth --heads 3 --schedule discrete --sampler ddim | --sampler ddim takes whole timesteps, and this model was trained on decimal ones
          2 | --checkpoint GOLDEN/class-noconv/model.pth --heads 3 --schedule discrete --latent-scale 2 | --latent-scale has no effect without an autoencoder
          1 | --checkpoint GOLDEN/class-noconv/model.pth --heads 3 --schedule discrete --vae tests/golden/vae --latent-scale 2 | --latent-scale 2.0: autoencoder tests/golden/vae says 0.18215
          """)
  void badInput_isOneLine_andWritesNothing(int code, String line, String message) {
    Invocation refused = export(line + " --model-repository DIR/models");
    assertThat(refused.err()).startsWith("error: ").contains(message).hasLineCount(1);
    assertThat(refused.code()).isEqualTo(code);
    assertThat(Trees.of(folder)).hasSize(1);
  }
}
