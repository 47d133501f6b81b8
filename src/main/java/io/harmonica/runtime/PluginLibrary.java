package io.harmonica.runtime;

import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtEpDevice;
import ai.onnxruntime.OrtException;
import io.harmonica.HarmonicaException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A plugin's library in this process, with the devices that it found. ONNX Runtime's environment
 * owns it: loaded once, it stays to the process's end.
 */
record PluginLibrary(Path file, List<OrtEpDevice> devices) {
  private static final Map<Path, PluginLibrary> LOADED = new HashMap<>();

  /**
   * Loads the library of a device, where this process has not yet.
   *
   * @throws HarmonicaException if it is not installed, does not load or finds no device
   */
  static synchronized PluginLibrary of(Device device) {
    Optional<KnownPlugin> known = KnownPlugin.of(device.name());
    Path file = known.map(PluginFolder.ofUser()::library).or(device::file).orElseThrow();
    file = file.toAbsolutePath().normalize();
    if (!Files.isRegularFile(file)) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          known.isPresent()
              ? "device %s is not installed, no %s: install it by bin/harmonica device install %s"
                  .formatted(device.name(), file, device.name())
              : "device %s: no plugin at %s, expected a library of an execution provider: check the path"
                  .formatted(device.name(), file));
    }
    PluginLibrary there = LOADED.get(file);
    if (there == null) {
      there = load(device, known, file);
      LOADED.put(file, there);
    }
    if (there.devices.isEmpty()) {
      throw new HarmonicaException(
          "device %s: its plugin %s finds no device on this machine that it could compute on%s: run with `device` cpu, or on another machine"
              .formatted(
                  device.name(), file, known.map(one -> ", it takes " + one.takes()).orElse("")));
    }
    return there;
  }

  private static PluginLibrary load(Device device, Optional<KnownPlugin> known, Path file) {
    OrtEnvironment environment = OnnxEnvironment.get();
    String path = file.toString();
    try {
      for (String needed : known.map(KnownPlugin::needed).orElse(List.of())) {
        System.load(file.resolveSibling(needed).toString());
      }
      environment.registerExecutionProviderLibrary(path, path);
      return new PluginLibrary(
          file,
          environment.getEpDevices().stream()
              .filter(one -> path.equals(one.getEpMetadata().get("library_path")))
              .toList());
    } catch (NoSuchMethodError e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          "device %s needs ONNX Runtime 1.24 or later, found %s on the class path: take the version that the POM of io.harmonica:harmonica has, or run with `device` cpu"
              .formatted(device.name(), environment.getVersion()),
          e);
    } catch (OrtException | UnsatisfiedLinkError e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          "device %s: its plugin does not load: %s; %s"
              .formatted(device.name(), OnnxEnvironment.reason(e), remedy(e.getMessage())),
          e);
    }
  }

  private static String remedy(String message) {
    return message.contains("libcuda.so") || message.contains("libnvidia-ml")
        ? "this machine has no NVIDIA driver: install one, or run with `device` cpu"
        : message.contains("CreateEpFactories")
            ? "it is no execution provider's plugin: name another file"
            : "install what is missing, or run with `device` cpu";
  }
}
