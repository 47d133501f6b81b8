package io.harmonica.runtime;

import ai.onnxruntime.OrtEpDevice;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * Options of OpenVINO's plugin. It ignores names that it does not know, so all go through the one
 * that it checks: {@code load_config}, JSON of OpenVINO's own properties.
 *
 * @param options for the plugin
 * @param precision what it computes in: {@code f32}, {@code bf16}
 */
record OpenVino(Map<String, String> options, String precision) {
  private static final String PROVIDER = "OpenVINOExecutionProvider";
  private static final String TARGET = "ov_device"; // CPU, GPU, NPU
  private static final String CONFIGURATION = "load_config";
  private static final String PRECISION = "precision";
  private static final String THREADS = "threads";
  private static final String CPU = "CPU";

  static boolean provides(OrtEpDevice device) {
    return device.getEpName().startsWith(PROVIDER);
  }

  /** The one that options name, else the processor; none that chooses by itself. */
  static OrtEpDevice choose(Device asked, List<OrtEpDevice> found, Map<String, String> options) {
    options.putIfAbsent(TARGET, CPU);
    return PluginProvider.choose(
        asked, found.stream().filter(one -> one.getEpName().equals(PROVIDER)).toList(), options);
  }

  static String target(OrtEpDevice device) {
    return device.getEpMetadata().getOrDefault(TARGET, CPU);
  }

  static boolean isCpu(OrtEpDevice device) {
    return target(device).equals(CPU);
  }

  static OpenVino of(Device asked, OrtEpDevice device, Map<String, String> options) {
    if (options.containsKey(CONFIGURATION)) { // somebody who knows OpenVINO says it all
      if (options.size() > 1) {
        throw new HarmonicaException(
            "device %s: %s excludes other options, found %s: put them into it"
                .formatted(asked.name(), CONFIGURATION, String.join(", ", options.keySet())));
      }
      return new OpenVino(options, "the precision of its configuration");
    }
    Optional<String> wanted = Optional.ofNullable(options.get(PRECISION));
    wanted.ifPresent(precision -> requireCapable(asked, device, precision));
    String precision = wanted.orElseGet(() -> usual(device));
    ObjectNode properties = JsonNodeFactory.instance.objectNode();
    properties.put("INFERENCE_PRECISION_HINT", precision);
    if (isCpu(device)) {
      properties.put(
          "INFERENCE_NUM_THREADS",
          options.getOrDefault(THREADS, Integer.toString(OnnxEnvironment.threads())));
    } else if (options.containsKey(THREADS)) {
      throw new HarmonicaException(
          "device %s on %s takes no threads: leave them out"
              .formatted(asked.name(), target(device)));
    }
    options.forEach(
        (key, value) -> {
          if (key.equals(key.toUpperCase(Locale.ROOT))) {
            properties.put(key, value);
          } else if (!key.equals(PRECISION) && !key.equals(THREADS)) {
            throw new HarmonicaException(
                "device %s has no option '%s': it takes precision=bf16|f32, threads=N, fallback=cpu, ov_device=CPU|GPU|NPU, properties of OpenVINO in capitals as ENABLE_CPU_PINNING=NO, or load_config={JSON} alone"
                    .formatted(asked.name(), key));
          }
        });
    ObjectNode all = JsonNodeFactory.instance.objectNode();
    all.set(target(device), properties);
    return new OpenVino(Map.of(CONFIGURATION, all.toString()), precision);
  }

  /** What it would compute in by itself: bf16 where the hardware has instructions for that. */
  static String usual(OrtEpDevice device) {
    List<String> able = capabilities(device);
    return isCpu(device)
        ? able.contains("BF16") ? "bf16" : "f32"
        : able.contains("FP16") ? "f16" : "f32";
  }

  /** Elsewhere it would be computed value by value, 25 times slower than f32, or not at all. */
  private static void requireCapable(Device asked, OrtEpDevice device, String precision) {
    String capability =
        switch (precision) {
          case "f32" -> "FP32";
          case "f16" -> "FP16";
          case "bf16" -> "BF16";
          default ->
              throw new HarmonicaException(
                  "device %s: precision is '%s', expected bf16, f16 or f32"
                      .formatted(asked.name(), precision));
        };
    if (!capabilities(device).contains(capability)) {
      throw new HarmonicaException(
          "device %s cannot compute in %s on %s, which has no instructions for it (it has %s): leave precision out, or say f32"
              .formatted(
                  asked.name(),
                  precision,
                  device.getEpMetadata().getOrDefault("FULL_DEVICE_NAME", "this machine"),
                  String.join(" ", capabilities(device))));
    }
  }

  private static List<String> capabilities(OrtEpDevice device) {
    return Arrays.asList(
        device.getEpMetadata().getOrDefault("OPTIMIZATION_CAPABILITIES", "FP32").split("\\s+"));
  }
}
