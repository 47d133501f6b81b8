package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What computes in this process, as users name it: {@code cpu}, a plugin's word such as {@code
 * openvino}, or the path of a plugin's library; with options after it.
 *
 * @param name the word or path
 * @param options in the order given; what they mean is the plugin's to say
 */
public record Device(String name, Map<String, String> options) {
  /** ONNX Runtime's own kernels on the CPU. */
  public static final Device CPU = new Device("cpu", Map.of());

  /** A comma, or the semicolon that stands for it where a comma would end the whole. */
  private static final String SEPARATOR = "[,;](?![^{]*})"; // JSON has commas of its own

  public Device {
    options = Collections.unmodifiableMap(new LinkedHashMap<>(options));
    if (!isPath(name) && !name.equals("cpu") && KnownPlugin.of(name).isEmpty()) {
      throw new HarmonicaException(
          "device '%s' is unknown, expected cpu, %s or a plugin's file such as /opt/libplugin.so"
              .formatted(name, KnownPlugin.words()));
    }
    if (name.equals("cpu") && !options.isEmpty()) {
      throw new HarmonicaException(
          "device cpu takes no options, found %s: its threads are those of `threads`"
              .formatted(String.join(", ", options.keySet())));
    }
  }

  /**
   * Reads {@code NAME[,KEY=VALUE...]}. A semicolon does for a comma; commas within braces belong to
   * the value.
   *
   * @throws HarmonicaException if it is not of this form, or no device has that name
   */
  public static Device parse(String text) {
    String[] parts = text.strip().split(SEPARATOR, -1);
    Map<String, String> options = new LinkedHashMap<>();
    for (int i = 1; i < parts.length; i++) {
      String[] pair = parts[i].split("=", 2);
      if (pair.length < 2 || pair[0].isBlank()) {
        throw new HarmonicaException(
            "device '%s': '%s' is no key=value pair, expected NAME[,KEY=VALUE...]"
                .formatted(text, parts[i].strip()));
      }
      if (options.put(pair[0].strip(), pair[1].strip()) != null) {
        throw new HarmonicaException(
            "device '%s' states %s twice, expected once".formatted(text, pair[0].strip()));
      }
    }
    return new Device(parts[0].strip(), options);
  }

  boolean isCpu() {
    return name.equals("cpu");
  }

  /** The plugin's library, where it is named by its path. */
  Optional<Path> file() {
    return isPath(name) ? Optional.of(Path.of(name)) : Optional.empty();
  }

  private static boolean isPath(String name) {
    return name.matches(".*[/\\\\].*|.*\\.(so|dll|dylib)");
  }

  /** As {@link #parse} reads it, within text whose own separator is a comma. */
  public String withSemicolons() {
    return joined(";");
  }

  /** As {@link #parse} reads it. */
  @Override
  public String toString() {
    return joined(",");
  }

  private String joined(String separator) {
    return name
        + options.entrySet().stream()
            .map(option -> separator + option.getKey() + "=" + option.getValue())
            .collect(Collectors.joining());
  }
}
