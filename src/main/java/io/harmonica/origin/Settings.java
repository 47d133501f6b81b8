package io.harmonica.origin;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.DitPresets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * What the training script of a DiT noted beside its weights, as far as it matters: the names are
 * those of facebookresearch/DiT, willisma/SiT, sihyun-yu/REPA and scripts made from them.
 */
final class Settings {
  static final Set<String> CLASS_DROPOUT =
      Set.of(
          "class_dropout_prob",
          "class_dropout",
          "label_dropout_prob",
          "label_dropout",
          "label_drop_prob",
          "cfg_dropout_prob",
          "cfg_dropout",
          "uncond_prob");
  private static final Set<String> HEADS =
      Set.of("num_heads", "n_heads", "heads", "num_attention_heads");
  private static final Set<String> CLASSES =
      Set.of("num_classes", "n_classes", "nb_classes", "class_num");
  private static final Set<String> MODEL = Set.of("model", "model_name", "model_type", "arch");

  /** Sections in which heads are the DiT's own, and not those of an encoder beside it. */
  private static final Set<String> OWN =
      Set.of(
          "args",
          "arguments",
          "config",
          "cfg",
          "hparams",
          "hyper_parameters",
          "model",
          "model_args",
          "model_config",
          "network",
          "params",
          "dit",
          "transformer");

  /** {@code DiT-XL/2}, {@code SiT-B/4}: family, preset and patch. */
  private static final Pattern NAME =
      Pattern.compile("(.*?)[-_](XL|L|B|S)[-_/](\\d+)", Pattern.CASE_INSENSITIVE);

  private static final int DEEPEST = 8;

  /**
   * A setting.
   *
   * @param path as it lies in the file, for messages: {@code args.path_type}
   * @param name the last part of the path, in lower case with underscores
   * @param value a string, a number or a boolean; what omegaconf takes from elsewhere is read there
   */
  record Setting(String path, String name, Object value) {
    boolean isOwn() {
      List<String> sections = List.of(path.toLowerCase(Locale.ROOT).split("\\."));
      return OWN.containsAll(sections.subList(0, sections.size() - 1));
    }

    String words() {
      return path + " is " + (value instanceof String ? "'" + value + "'" : value);
    }
  }

  private final List<Setting> all = new ArrayList<>();

  private Settings() {}

  /** Of a checkpoint; none where it has only weights. */
  static Settings of(Checkpoint checkpoint) {
    return of(checkpoint.settings());
  }

  static Settings of(Map<String, Object> tree) {
    Settings settings = new Settings();
    settings.add("", tree, 0);
    return settings;
  }

  private void add(String path, Map<?, ?> tree, int depth) {
    tree.forEach(
        (key, value) -> {
          String own = path + (path.isEmpty() ? "" : ".") + key;
          if (value instanceof Map<?, ?> map && depth < DEEPEST) {
            add(own, map, depth + 1);
          } else if (value instanceof Number
              || value instanceof Boolean
              || value instanceof String text && !text.equals("None") && !text.startsWith("${")) {
            String name = String.valueOf(key).toLowerCase(Locale.ROOT).replace('-', '_');
            all.add(new Setting(own, name, value));
          }
        });
  }

  /** The settings of these names, as they lie in the file. */
  List<Setting> named(Set<String> names) {
    return all.stream().filter(setting -> names.contains(setting.name())).toList();
  }

  /** The same in words, for messages. */
  String words(Set<String> names) {
    return named(names).stream().map(Setting::words).collect(Collectors.joining(", "));
  }

  /** How many classes it was trained on. */
  OptionalInt classes() {
    return integer(named(CLASSES));
  }

  /** The share of labels that became the null class in training. */
  OptionalDouble classDropout() {
    return named(CLASS_DROPOUT).stream()
        .filter(setting -> setting.value() instanceof Number)
        .mapToDouble(setting -> ((Number) setting.value()).doubleValue())
        .max();
  }

  /** Attention heads: stated, or those of the preset that it names and whose width it has. */
  OptionalInt heads(int width) {
    OptionalInt stated = headsStated();
    return stated.isPresent()
        ? stated
        : model()
            .map(name -> DitPresets.valueOf(name.group(2).toUpperCase(Locale.ROOT)))
            .filter(preset -> preset.width == width)
            .map(preset -> OptionalInt.of(preset.heads))
            .orElse(OptionalInt.empty());
  }

  /** Whether it names a model of this family, as {@code SiT-XL/2} is of {@code SiT}. */
  boolean namesFamily(String family) {
    return model().filter(name -> name.group(1).equalsIgnoreCase(family)).isPresent();
  }

  String modelWords() {
    return words(MODEL);
  }

  String headsWords() {
    return headsStated().isPresent() ? words(HEADS) : words(MODEL);
  }

  private OptionalInt headsStated() {
    return integer(named(HEADS).stream().filter(Setting::isOwn).toList());
  }

  private Optional<Matcher> model() {
    return named(MODEL).stream()
        .map(setting -> NAME.matcher(String.valueOf(setting.value())))
        .filter(Matcher::matches)
        .findFirst();
  }

  /** The outermost that can be a count. */
  private static OptionalInt integer(List<Setting> settings) {
    return settings.stream()
        .filter(s -> s.value() instanceof Long number && number > 0 && number < 1 << 20)
        .min(Comparator.comparingLong(s -> s.path().chars().filter(c -> c == '.').count()))
        .map(setting -> OptionalInt.of(((Long) setting.value()).intValue()))
        .orElse(OptionalInt.empty());
  }
}
