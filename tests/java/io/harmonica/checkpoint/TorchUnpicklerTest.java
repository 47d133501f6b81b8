package io.harmonica.checkpoint;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.Mutations;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TorchUnpicklerTest {
  private static final Path PATH = Path.of("model.pt");

  /** {@code FloatStorage}, key '0', on a GPU, of 6 elements. */
  private static final String STORAGE =
      "(X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0" + "0X\6\0\0\0cuda:0K\6tQ";

  private static final String REBUILD = "ctorch._utils\n_rebuild_tensor_v2\n";

  private static Object load(String pickle) {
    return TorchUnpickler.load(PATH, pickle.getBytes(ISO_8859_1));
  }

  private static void assertRefused(String pickle, String... messageParts) {
    assertThatThrownBy(() -> load(pickle))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("model.pt: ")
        .hasMessageContainingAll(messageParts)
        .message()
        .doesNotContainPattern("\\R");
  }

  @Test
  void load_tensor_isItsDescription() {
    TorchTensor tensor =
        (TorchTensor) load(REBUILD + "(" + STORAGE + "K\1K\2K\2\u0086K\2K\1\u0086\u0089}tR.");
    assertThat(tensor.storage()).isEqualTo(new TorchTensor.Storage(DType.F32, "0", 6));
    assertThat(tensor.offset()).isEqualTo(1);
    assertThat(tensor.shape()).containsExactly(2L, 2L);
    assertThat(tensor.stride()).containsExactly(2L, 1L);
  }

  @Test
  void load_orderedDictWithState_isItsContent() { // state_dict() carries _metadata
    Object dict = load("ccollections\nOrderedDict\n)RX\1\0\0\0aK\1s}X\t\0\0\0_metadata}sb.");
    assertThat(dict).isEqualTo(Map.of("a", 1));
  }

  @Test
  void load_sizeAndIntegerKeys_arePlain() {
    assertThat((Object[]) load("ctorch\nSize\nK\2K\3\u0086\u0085R.")).containsExactly(2, 3);
    assertThat(load("}K\7\u0088s.")).isEqualTo(Map.of("7", true));
  }

  /** Classes that the library itself would construct, or run, are refused like unknown ones. */
  @ParameterizedTest
  @CsvSource({
    "os, system",
    "builtins, eval",
    "__builtin__, set",
    "builtins, complex",
    "builtins, bytearray",
    "builtins, ValueError",
    "exceptions, OSError",
    "array, array",
    "array, _array_reconstructor",
    "datetime, datetime",
    "decimal, Decimal",
    "copy_reg, _reconstructor",
    "copyreg, _reconstructor",
    "operator, attrgetter",
    "_codecs, encode",
    "pytz, timezone",
    "numpy.core.multiarray, _reconstruct",
    "torch, load",
    "torch.nn.modules.linear, Linear",
    "collections, OrderedDict.fromkeys",
    "types, FunctionType",
    "pathlib, Path.unlink",
    "typing, get_type_hints",
    "builtins, getattr",
  })
  void load_otherClass_isRefusedByName(String module, String name) {
    String full = "'" + module + "." + name + "'";
    assertRefused("c" + module + "\n" + name + "\n)R.", "class " + full, "at byte");
    assertRefused(shortString(module) + shortString(name) + "\u0093)R.", "class " + full);
    assertRefused("(i" + module + "\n" + name + "\n.", "opcode 105"); // INST
  }

  private static String shortString(String text) {
    return "\u008c" + (char) text.length() + text;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "(o.", // OBJ
        "\u0082\1.", // EXT1
        "(K\1l.", // LIST
        "\u008f.", // EMPTY_SET
        "(\u0091.", // FROZENSET
        "L1L\n.", // LONG
        "I1\n.", // INT
        "F1.0\n.", // FLOAT
        "S'a'\n.", // STRING
        "Pid\n.", // PERSID
        "K\0002.", // DUP
        "\u0097.", // NEXT_BUFFER
        "\u008b\377\377\377\177.", // LONG4 of 2 GiB
        "B\377\377\377\177.", // BINBYTES of 2 GiB
        "\u0096\377\377\377\377\377\377\377\177.", // BYTEARRAY8
        "\u0000.",
        "\u00ff.",
      })
  void load_opcodeThatTorchNeverWrites_isRefused(String pickle) {
    assertRefused(pickle, "opcode", "torch never writes", "before its byte");
  }

  @Test
  void load_lyingStringLength_isRefusedBeforeItIsAllocated() {
    assertRefused("X\377\377\377\177a.", "a string of 2147483647 bytes");
    assertRefused("X\377\377\377\377a.", "a string of 4294967295 bytes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "K",
        "K\1", // no STOP
        ".", // nothing to stop with
        "R.",
        "K\1)R.", // a number called
        "ctorch\nFloatStorage\n)R.", // a storage class called
        "h\5.", // a memo never made
        "}]K\1s.", // a list as key
        "}(K\1u.", // a key without a value
        "]K\1K\1s.", // an item set in a list
        "}K\1K\1sK\1K\2s.", // a key twice
        "}K\1a.", // appended to a dict
        "ctyping\nAny\n)R.", // a type called
        "ctorch\nbfloat16\n)R.", // and an element type
        "comegaconf.nodes\nAnyNode\n)R)b.", // a tuple as an object's fields
        "K\1}b.", // a number with state
        "ccollections\nOrderedDict\nK\1\u0085R.", // OrderedDict(1)
        "cargparse\nNamespace\n)\u0081K\1b.", // a number as Namespace
        "\u0080\u0009.", // protocol 9
        "X\1\0\0\0aQ.",
        "(X\7\0\0\0STORAGEctorch\nFloatStorage\nX\1\0\0\0000X\3\0\0\0cpuK\6tQ.",
        "(X\7\0\0\0storageX\1\0\0\0fX\1\0\0\0000X\3\0\0\0cpuK\6tQ.",
      })
  void load_brokenPickle_saysWhere(String pickle) {
    assertRefused(pickle, "data.pkl is broken before its byte");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        ")", // no arguments
        "(K\1K\0)))}t", // no storage
        "(" + STORAGE + "N))\u0089}t", // no offset
        "(" + STORAGE + "K\0K\1)\u0089}t", // a number as size
        "(" + STORAGE + "K\0G\0\0\0\0\0\0\0\0\u0085)\u0089}t", // a fraction in the size
        "(" + STORAGE + "K\0(K\1K\1K\1K\1K\1K\1K\1K\1K\1t)\u0089}t", // nine dimensions
      })
  void load_brokenTensor_saysWhere(String arguments) {
    assertRefused(REBUILD + arguments + "R.", "data.pkl is broken before its byte");
  }

  @Test
  void read_damagedPickles_areReadOrRefused() {
    List<byte[]> pickles =
        Stream.of("tensors", "train", "protocol4", "settings", "omegaconf")
            .map(n -> TorchZip.entries(TorchZip.resource(n + ".pt")).get(n + "/data.pkl"))
            .toList();
    Mutations.assertReadOrRefused(13, 5000, pickles, pickle -> TorchUnpickler.load(PATH, pickle));
  }
}
