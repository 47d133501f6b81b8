package io.harmonica.runtime;

import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.harmonica.HarmonicaException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.stream.Collectors;

/**
 * One device of a plugin. An engine that it does not take whole is refused, unless {@value
 * #FALLBACK}={@code cpu} lets the CPU do the rest.
 *
 * @param asked as the user named it
 * @param device as ONNX Runtime knows it
 * @param options for the plugin
 * @param fallsBack whether the CPU may do what the device cannot
 * @param description what computes, with its version
 */
record PluginProvider(
    Device asked,
    OrtEpDevice device,
    Map<String, String> options,
    boolean fallsBack,
    String description)
    implements Provider {
  private static final String FALLBACK = "fallback";
  private static final String BATCH = "batch"; // as exports name the dimension
  private static final String SUFFIX = "ExecutionProvider";

  /**
   * Loads the plugin and chooses its device.
   *
   * @throws HarmonicaException if that fails, or an option cannot be
   */
  static PluginProvider open(Device asked) {
    List<OrtEpDevice> found = PluginLibrary.of(asked).devices();
    Map<String, String> options = new LinkedHashMap<>(asked.options());
    String fallback = options.remove(FALLBACK);
    if (fallback != null && !fallback.equals("cpu")) {
      throw new HarmonicaException(
          "device %s: %s is '%s', expected cpu".formatted(asked.name(), FALLBACK, fallback));
    }
    boolean isOpenVino = OpenVino.provides(found.get(0));
    OrtEpDevice device =
        isOpenVino ? OpenVino.choose(asked, found, options) : choose(asked, found, options);
    String description = name(device) + " " + version(device);
    if (isOpenVino) {
      OpenVino compiled = OpenVino.of(asked, device, options);
      options = compiled.options();
      description += " on " + OpenVino.target(device) + " in " + compiled.precision();
    }
    return new PluginProvider(
        asked,
        device,
        Map.copyOf(options),
        fallback != null,
        description + (fallback == null ? "" : ", what it cannot do on the CPU"));
  }

  /** The first device that has what options say of it; the plugin does not get these options. */
  static OrtEpDevice choose(Device asked, List<OrtEpDevice> found, Map<String, String> options) {
    Map<String, String> wanted = new LinkedHashMap<>(options);
    wanted.keySet().retainAll(found.get(0).getEpMetadata().keySet());
    options.keySet().removeAll(wanted.keySet());
    return found.stream()
        .filter(one -> one.getEpMetadata().entrySet().containsAll(wanted.entrySet()))
        .findFirst()
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "device %s: nothing on this machine has %s, it finds %s: choose one of these"
                        .formatted(
                            asked.name(),
                            wanted,
                            found.stream()
                                .map(one -> described(one, wanted))
                                .collect(Collectors.joining("; ")))));
  }

  private static String described(OrtEpDevice one, Map<String, String> wanted) {
    Map<String, String> has = new LinkedHashMap<>(one.getEpMetadata());
    has.keySet().retainAll(wanted.keySet());
    return name(one) + " with " + has;
  }

  static String name(OrtEpDevice device) {
    return device.getEpName().replace(SUFFIX, "");
  }

  /** Of the plugin, without what its makers count on their side. */
  static String version(OrtEpDevice device) {
    return device.getEpMetadata().getOrDefault("version", "of unknown version").split("\\+")[0];
  }

  /**
   * OpenVINO copies every output where it does not know the size beforehand: a step takes a third
   * more. Not for weights that one would not want to have twice.
   */
  @Override
  public boolean wantsBatchSize(Path file) {
    return OpenVino.provides(device) && !OnnxEnvironment.isLarge(file);
  }

  @Override
  public void requireExactInt8(String model) {
    if (OpenVino.provides(device) && OpenVino.isCpu(device)) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "device %s would compute model '%s' wrongly: its int8 products overflow on a processor without VNNI; use `device` cpu, or an export with `precision` fp32"
              .formatted(asked.name(), model));
    }
  }

  @Override
  public OrtSession load(String model, Path file, boolean keepsMemory, OptionalLong batchSize) {
    try (OrtSession.SessionOptions session = OnnxEnvironment.options(file, keepsMemory)) {
      if (batchSize.isPresent()) {
        session.setSymbolicDimensionValue(BATCH, batchSize.getAsLong());
      }
      if (!fallsBack) {
        session.addConfigEntry("session.disable_cpu_ep_fallback", "1");
      }
      session.addExecutionProvider(List.of(device), options);
      return OnnxEnvironment.get().createSession(file.toString(), session);
    } catch (OrtException e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "device %s cannot run model '%s': %s; use `device` cpu%s"
              .formatted(
                  asked.name(),
                  model,
                  OnnxEnvironment.reason(e),
                  fallsBack
                      ? ""
                      : ", or add ,%s=cpu to have the CPU do what it cannot".formatted(FALLBACK)),
          e);
    }
  }
}
