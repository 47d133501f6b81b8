package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files that torch and ema-pytorch wrote ({@code make_wrapped_files.py}), and made ones. */
class UnwrappedTest {
  private static final String WEIGHTS = "diffusion_pytorch_model";

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "compiled",
        "compiled_then_parallel",
        "parallel_then_compiled",
        "checkpointed",
        "lightning",
        "unnamed_average",
      })
  void open_wrappedModel_hasTheModelsNames(String file) {
    assertLinear(resource(file), 0);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "swa",
        "ema_pytorch",
        "lightning_ema",
        "state_dict_ema",
        "model_ema",
        "ema_model",
        "ema_state_dict",
        "params_ema",
      })
  void open_averagedWeightsBesideOthers_areTaken(String file) {
    assertLinear(resource(file), 1);
  }

  /** Weight 0..5 and bias 0.5, all {@code more} than that. */
  private static void assertLinear(Path path, float more) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThat(checkpoint.names()).containsExactlyInAnyOrder("weight", "bias");
      assertThat(checkpoint.tensor("weight").name()).isEqualTo("weight");
      assertThat(checkpoint.tensor("weight").floats())
          .containsExactly(more, more + 1, more + 2, more + 3, more + 4, more + 5);
      assertThat(checkpoint.tensor("bias").floats()).containsExactly(more + 0.5f, more + 0.5f);
    }
  }

  @Test
  void settings_besideWrappedNames_areKept() {
    try (Checkpoint checkpoint = Checkpoint.open(TorchZip.resource("parallel.pt"))) {
      assertThat(checkpoint.names()).containsExactly("weight", "bias");
      assertThat(checkpoint.settings()).containsEntry("epoch", 3L);
    }
  }

  @Test
  void open_oneCompiledBlock_hasItsNames() {
    try (Checkpoint checkpoint = Checkpoint.open(resource("part_compiled"))) {
      assertThat(checkpoint.names())
          .containsExactlyInAnyOrder("a.weight", "a.bias", "b.weight", "b.bias");
    }
  }

  @Test
  void open_severalThatCouldBeMeant_choosesNone() {
    refused(resource("two_averages"), "several sets of weights ('model_ema', 'ema_model')");
    try (Checkpoint checkpoint = Checkpoint.open(resource("two_models"))) {
      assertThat(checkpoint.names()).contains("model.weight", "net.weight").hasSize(4);
    }
  }

  @Test
  void open_everyFormat_losesThePrefixes() throws IOException {
    Path file = folder.resolve(WEIGHTS + ".safetensors");
    SafetensorsWriter.write(file, named("module._orig_mod.a", "module._orig_mod.b"));
    assertNames(file, "a", "b");
    Files.writeString(folder.resolve("config.json"), "{}");
    assertNames(folder, "a", "b");
    Path sharded = Files.createDirectory(folder.resolve("sharded"));
    SafetensorsWriter.write(
        sharded.resolve(WEIGHTS + "-00001-of-00002.safetensors"), named("module.a"));
    SafetensorsWriter.write(
        sharded.resolve(WEIGHTS + "-00002-of-00002.safetensors"), named("module.b"));
    assertNames(sharded, "a", "b");
    Files.writeString(
        sharded.resolve(WEIGHTS + ".safetensors.index.json"),
        """
        {"weight_map": {"module.a": "%1$s-00001-of-00002.safetensors",
                        "module.b": "%1$s-00002-of-00002.safetensors"}}"""
            .formatted(WEIGHTS));
    assertNames(sharded, "a", "b");
  }

  @Test
  void open_prefixOfSome_staysAsItIs() {
    Path file = folder.resolve("x.safetensors");
    SafetensorsWriter.write(file, named("module.a", "b"));
    assertNames(file, "module.a", "b");
    SafetensorsWriter.write(file, named("transformer.a", "transformer.b"));
    assertNames(file, "transformer.a", "transformer.b");
    SafetensorsWriter.write(file, named("module.a.c", "step"));
    assertNames(file, "a.c");
    SafetensorsWriter.write(
        file,
        Map.of("module.a", Floats.of(new float[] {1}, 1), "step", Floats.of(new float[2], 2)));
    assertNames(file, "module.a", "step"); // no counter
  }

  @Test
  void open_twoOfOneName_isRefused() {
    Path file = folder.resolve("x.safetensors");
    SafetensorsWriter.write(file, named("a", "_orig_mod.a"));
    refused(file, "'_orig_mod.a'", "two weights of one name");
  }

  private static Map<String, Floats> named(String... names) {
    return List.of(names).stream()
        .collect(Collectors.toMap(name -> name, name -> Floats.of(new float[] {1}, 1)));
  }

  private static void assertNames(Path path, String... names) {
    try (Checkpoint checkpoint = Checkpoint.open(path)) {
      assertThat(checkpoint.names()).containsExactlyInAnyOrder(names);
      assertThat(checkpoint.names())
          .allSatisfy(name -> assertThat(checkpoint.tensor(name).name()).isEqualTo(name));
      assertThatThrownBy(() -> checkpoint.tensor("gone"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("'gone'");
    }
  }

  private static Path resource(String name) {
    return TorchZip.resource("wrapped_" + name + ".pt");
  }

  private static void refused(Path path, String... messageParts) {
    assertThatThrownBy(() -> Checkpoint.open(path).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(path.toString())
        .hasMessageContainingAll(messageParts);
  }
}
