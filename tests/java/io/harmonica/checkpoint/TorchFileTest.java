package io.harmonica.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.Mutations;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchFileTest {
  private static final Path EXECUTED = Path.of("/tmp/executed-by-a-checkpoint");

  @TempDir Path folder;

  private static Map<?, ?> map(Object tree, String... keys) {
    for (String key : keys) {
      tree = ((Map<?, ?>) tree).get(key);
    }
    return (Map<?, ?>) tree;
  }

  /** Reads everything; a torch file's tree is complete once it is open. */
  static void readAll(Path path) {
    try (TorchFile file = TorchFile.open(path)) {
      walk(file.root(), 0);
    }
  }

  private static void walk(Object node, int depth) {
    if (node instanceof StoredTensor tensor) {
      assertThat(tensor.data().remaining())
          .isEqualTo(tensor.elements() * tensor.dtype().sizeBytes());
    } else if (depth < 10 && node instanceof Map<?, ?> map) { // shared parts make it exponential
      map.values().forEach(value -> walk(value, depth + 1));
    }
  }

  @Test
  void root_settings_areTheirContent() {
    try (TorchFile file = TorchFile.open(TorchZip.resource("settings.pt"))) {
      Map<String, Object> expected = new LinkedHashMap<>();
      expected.put("model", Map.of("name", "DiT-S/2", "num_heads", 6L));
      expected.put("out", "/runs/1");
      expected.put("relative", "a/b");
      expected.put("device", "cuda:1");
      expected.put("dtype", "torch.bfloat16");
      expected.put("more", Map.of("lr", 0.5));
      expected.put("counts", Map.of("a", 1L));
      expected.put("none", null);
      assertThat(map(file.root()).get("args")).isEqualTo(expected);
    }
  }

  @Test
  void root_omegaconf_isItsContent() {
    try (TorchFile file = TorchFile.open(TorchZip.resource("omegaconf.pt"))) {
      Map<?, ?> args = map(file.root(), "args");
      List<Object> layers = new ArrayList<>(List.of(1L, 2.5));
      layers.add(null);
      layers.add(true);
      assertThat(map(args, "model"))
          .isEqualTo(Map.of("model_type", "LightningDiT-XL/1", "layers", layers));
      assertThat(map(args, "transport"))
          .isEqualTo(Map.of("path_type", "Linear", "prediction", "velocity"));
      assertThat(args.get("again")).isEqualTo("${transport.prediction}");
    }
  }

  @Test
  void root_omegaconfThatIsItsOwnContent_isRefused() throws IOException {
    byte[] pickle =
        "}X\1\0\0\0acomegaconf.nodes\nAnyNode\n)\u0081q\0}X\4\0\0\0_valh\0sbs."
            .getBytes(ISO_8859_1);
    Path file = folder.resolve("x.pt");
    Files.write(file, TorchZip.file(pickle));
    assertThatThrownBy(() -> TorchFile.open(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("'a' contains itself");
  }

  @ParameterizedTest
  @CsvSource({"f64", "f32", "f16", "bf16"})
  void root_floats_areTheNumbers(String name) {
    try (TorchFile file = TorchFile.open(TorchZip.resource("tensors.pt"))) {
      StoredTensor tensor = (StoredTensor) map(file.root()).get(name);
      assertThat(tensor.dtype().name()).isEqualToIgnoringCase(name);
      assertThat(tensor.shape()).containsExactly(2L, 3L);
      assertThat(tensor.floats()).containsExactly(0, 1, 2, 3, 4, 5);
    }
  }

  @ParameterizedTest
  @CsvSource({"i64", "i32", "i16", "i8", "u8", "bool"})
  void root_integers_areTheNumbers(String name) {
    try (TorchFile file = TorchFile.open(TorchZip.resource("tensors.pt"))) {
      StoredTensor tensor = (StoredTensor) map(file.root()).get(name);
      assertThat(tensor.dtype().name()).isEqualToIgnoringCase(name);
      long[] expected =
          switch (name) {
            case "u8" -> new long[] {250, 251, 252, 253, 254, 255};
            case "bool" -> new long[] {0, 0, 0, 1, 1, 1};
            default -> new long[] {0, -1, -2, -3, -4, -5};
          };
      assertThat(tensor.longs()).isEqualTo(expected);
    }
  }

  @Test
  void root_views_areInRowMajorOrder() {
    try (TorchFile file = TorchFile.open(TorchZip.resource("tensors.pt"))) {
      assertView(file, "transposed", List.of(3L, 2L), 0, 3, 1, 4, 2, 5);
      assertView(file, "narrowed", List.of(2L, 2L), 1, 2, 4, 5);
      assertView(file, "tail", List.of(3L), 7, 8, 9);
      assertView(file, "every_third", List.of(4L), 0, 3, 6, 9);
      assertView(file, "scalar", List.of(), 2.5f);
      assertView(file, "empty", List.of(0L, 4L));
      assertView(file, "parameter", List.of(2L), 1, 1);
      float[] permuted = new float[24]; // (2, 3, 4) to (4, 2, 3)
      for (int i = 0; i < 24; i++) {
        permuted[i] = i % 3 * 4 + i / 3 % 2 * 12 + i / 6;
      }
      assertView(file, "permuted", List.of(4L, 2L, 3L), permuted);
    }
  }

  private static void assertView(TorchFile file, String name, List<Long> shape, float... values) {
    StoredTensor tensor = (StoredTensor) map(file.root()).get(name);
    assertThat(tensor.name()).isEqualTo(name);
    assertThat(tensor.shape()).isEqualTo(shape);
    assertThat(tensor.floats()).containsExactly(values);
  }

  @ParameterizedTest
  @ValueSource(strings = {"train.pt", "protocol4.pt"})
  void root_trainingCheckpoint_isItsTree(String name) {
    try (TorchFile file = TorchFile.open(TorchZip.resource(name))) {
      Map<?, ?> root = map(file.root());
      assertThat(List.copyOf(root.keySet())).isEqualTo(List.of("model", "ema", "opt", "args"));
      StoredTensor weight = (StoredTensor) map(root, "ema").get("weight");
      assertThat(weight.name()).isEqualTo("ema.weight");
      assertThat(weight.floats()).containsExactly(1, 2, 3, 4, 5, 6);
      assertThat(map(root, "opt", "state", "0").get("exp_avg")).isInstanceOf(StoredTensor.class);
      assertThat(map(root, "args").entrySet())
          .extracting(Object::toString)
          .containsExactly(
              "model=DiT-XL/2",
              "lr=0.01",
              "layers=28",
              "cfg=null",
              "learn_sigma=true",
              "sizes=[2, [3, 4]]");
      assertThat(map(root, "args").get("layers")).isEqualTo(28L);
    }
  }

  @Test
  void root_zip64_isReadLikeOthers() throws IOException {
    Path path = folder.resolve("large.pt");
    Files.write(path, TorchZip.file(TorchZip.entries(TorchZip.resource("tensors.pt")), true));
    try (TorchFile file = TorchFile.open(path)) {
      assertView(file, "transposed", List.of(3L, 2L), 0, 3, 1, 4, 2, 5);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "command.pt, 'posix.system'",
    "whole_model.pt, 'torch.nn.modules.linear.Linear'",
    "legacy.pt, before torch 1.6",
    "expanded.pt, tensor 'w' repeats elements",
  })
  void open_whatIsNotPlainData_isRefused(String name, String message) {
    Path path = TorchZip.resource(name);
    assertThatThrownBy(() -> TorchFile.open(path))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(path.toString())
        .hasMessageContaining(message);
    assertThat(EXECUTED).doesNotExist();
  }

  @Test
  void open_missingEntries_namesThem() throws IOException {
    Map<String, byte[]> entries = TorchZip.entries(TorchZip.resource("train.pt"));
    assertRefused(without(entries, "train/data/0"), "zip entry 'train/data/0' is missing");
    assertRefused(without(entries, "train/data.pkl"), "expected one <name>/data.pkl", "found 0");
    entries.put("other/data.pkl", new byte[0]);
    assertRefused(TorchZip.file(entries, false), "found 2");
  }

  private static byte[] without(Map<String, byte[]> entries, String name) {
    Map<String, byte[]> rest = new LinkedHashMap<>(entries);
    assertThat(rest.remove(name)).isNotNull();
    return TorchZip.file(rest, false);
  }

  @Test
  void open_shortStorage_namesTensorAndByte() throws IOException {
    Map<String, byte[]> entries = TorchZip.entries(TorchZip.resource("train.pt"));
    entries.put("train/data/0", new byte[23]);
    assertRefused(
        TorchZip.file(entries, false),
        "tensor 'model.module.weight'",
        "a storage of 6 F32 elements",
        "23 bytes at byte");
  }

  @Test
  void open_bigEndian_saysSo() throws IOException {
    Map<String, byte[]> entries = TorchZip.entries(TorchZip.resource("train.pt"));
    entries.put("train/byteorder", "big".getBytes(ISO_8859_1));
    assertRefused(TorchZip.file(entries, false), "byte order 'big'");
  }

  @Test
  void open_nestedTooDeeply_isRefused() throws IOException {
    assertRefused(
        TorchZip.file(("]".repeat(100_000) + "a".repeat(99_999) + ".").getBytes(ISO_8859_1)),
        "nested too deeply");
  }

  @Test
  void open_containingItself_isRefused() throws IOException {
    assertRefused(TorchZip.file("]q\0h\0a.".getBytes(ISO_8859_1)), "contains itself");
  }

  @Test
  void open_sharedAgainAndAgain_staysShared() throws IOException {
    int depth = 60; // as a tree: 2^60 leaves
    String twice = "q\0" + "](h\0h\0eq\0".repeat(depth);
    Path path = Files.write(folder.resolve("x.pt"), TorchZip.file(pickle("]" + twice + ".")));
    try (TorchFile file = TorchFile.open(path)) {
      Object node = file.root();
      for (int i = 0; i < depth; i++) {
        List<?> pair = (List<?>) node;
        assertThat(pair).size().isEqualTo(2);
        assertThat(pair.get(0) == pair.get(1)).as("shared at depth %d", i).isTrue();
        node = pair.get(0);
      }
      assertThat((List<?>) node).isEmpty();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"ctorch\nSize\n.", "ctorch\nFloatStorage\n.", "(\u0085."})
  void open_somethingThatIsNoValue_isRefused(String pickle) throws IOException {
    assertRefused(TorchZip.file(pickle(pickle)), "neither a tensor nor plain data");
  }

  private static byte[] pickle(String text) {
    return text.getBytes(ISO_8859_1);
  }

  @Test
  void open_manyCopiesOfOneView_isRefused() throws IOException {
    String storage = "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + "0X\3\0\0\0cpuK\6tQ";
    String transposed =
        "ctorch._utils\n_rebuild_tensor_v2\n(" + storage + "K\0K\3K\2\u0086K\1K\3\u0086\u0089}t";
    StringBuilder list = new StringBuilder("](");
    for (int i = 0; i < 10_000; i++) {
      list.append(i == 0 ? transposed.replace("v2\n", "v2\nq\0") + "q\1R" : "h\0h\1R");
    }
    assertRefused(TorchZip.file(pickle(list + "e.")), "repeats elements");
  }

  private void assertRefused(byte[] content, String... messageParts) throws IOException {
    Path path = Files.write(folder.resolve("bad.pt"), content);
    assertThatThrownBy(() -> TorchFile.open(path))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(path.toString())
        .hasMessageContainingAll(messageParts)
        .message()
        .doesNotContainPattern("\\R");
  }

  @Test
  void read_damagedFiles_areReadOrRefused() throws IOException {
    byte[] real = Files.readAllBytes(TorchZip.resource("tensors.pt"));
    byte[] zip64 = TorchZip.file(TorchZip.entries(TorchZip.resource("train.pt")), true);
    byte[] compact = TorchZip.file(TorchZip.entries(TorchZip.resource("parallel.pt")), false);
    Mutations.assertReadOrRefused(
        12,
        5000,
        List.of(real, zip64, compact),
        content -> TempFile.holding(content, ".pt", TorchFileTest::readAll));
  }
}
