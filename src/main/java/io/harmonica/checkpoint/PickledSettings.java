package io.harmonica.checkpoint;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import net.razorvine.pickle.IObjectConstructor;

/**
 * The classes in which training scripts keep their settings, each as plain data of its content.
 *
 * <p>Nothing of them is loaded or run: a namespace or a dict becomes a map, a path or a device its
 * text, a type its name. What is not named here stays refused.
 */
final class PickledSettings {

  /** Its state is its content, whereas a dict's state is only a note on the side. */
  static final class Namespace extends LinkedHashMap<String, Object> {}

  /**
   * An object of omegaconf, what it holds among much else: {@code _content} of a container, {@code
   * _val} of a value. Its parent is there, too, so only that is followed.
   */
  static final class Node {
    private Map<String, Object> state = Map.of();

    void build(Map<String, Object> fields) {
      state = fields;
    }

    /** A map, a list, a plain value, another node or null. */
    Object content() {
      return state.containsKey("_content") ? state.get("_content") : state.get("_val");
    }
  }

  private static final Map<String, IObjectConstructor> CALLS =
      Map.ofEntries(
          Map.entry("collections.OrderedDict", PickledSettings::dict),
          Map.entry("collections.defaultdict", args -> new LinkedHashMap<String, Object>()),
          Map.entry("easydict.EasyDict", PickledSettings::dict),
          Map.entry("addict.addict.Dict", PickledSettings::dict),
          Map.entry("yacs.config.CfgNode", PickledSettings::dict),
          Map.entry("argparse.Namespace", PickledSettings::namespace),
          Map.entry("types.SimpleNamespace", PickledSettings::namespace),
          Map.entry("pathlib.PosixPath", PickledSettings::path),
          Map.entry("pathlib.PurePosixPath", PickledSettings::path),
          Map.entry("pathlib.WindowsPath", PickledSettings::path),
          Map.entry("pathlib.PureWindowsPath", PickledSettings::path),
          Map.entry("torch.device", args -> joined(args, ":")));

  private static final Set<String> TYPES =
      Set.of("dict", "list", "tuple", "str", "unicode", "int", "long", "float", "bool");

  private static final Set<String> NAMES =
      Set.of(
          "typing.Any",
          "torch.float64",
          "torch.float32",
          "torch.float16",
          "torch.bfloat16",
          "torch.float8_e4m3fn",
          "torch.float8_e5m2");

  private PickledSettings() {}

  /** What stands for a class on the stack: a call, or a name that nothing calls; else null. */
  static Object global(String name) {
    if (name.startsWith("omegaconf.")) {
      return (IObjectConstructor) args -> new Node();
    }
    String module = name.substring(0, name.lastIndexOf('.'));
    boolean type =
        Set.of("builtins", "__builtin__").contains(module)
            && TYPES.contains(name.substring(module.length() + 1));
    return type || NAMES.contains(name) ? name : CALLS.get(name);
  }

  private static Object dict(Object[] args) {
    TorchUnpickler.arguments(args, 0);
    return new LinkedHashMap<String, Object>();
  }

  private static Object namespace(Object[] args) {
    TorchUnpickler.arguments(args, 0);
    return new Namespace();
  }

  /** Python keeps a path in its parts, a root as the first. */
  private static Object path(Object[] args) {
    return joined(args, "/").replaceFirst("^//", "/");
  }

  private static String joined(Object[] args, String between) {
    return Arrays.stream(args).map(String::valueOf).collect(Collectors.joining(between));
  }
}
