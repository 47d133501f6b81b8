package io.harmonica.runtime;

import ai.onnxruntime.OrtEpDevice;
import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** What can compute in this process on this machine, and how more is installed. */
public final class Devices {
  private Devices() {}

  /**
   * A device, or why it is none.
   *
   * @param name as {@link Device} takes it
   * @param hardware the processor or card
   * @param vendor of the software that drives it
   * @param software with its version
   * @param precision what it computes in if not told otherwise
   * @param fault why it cannot be used, with the remedy; empty if it can
   */
  public record Found(
      String name,
      String hardware,
      String vendor,
      String software,
      String precision,
      String fault) {}

  /**
   * A package of PyPI that holds a plugin.
   *
   * @param sha256 of its file, in hex
   */
  public record Wheel(String name, String version, String sha256) {}

  /**
   * The processor, then what plugins have: those with a word of their own, installed or not, and
   * those that the caller names.
   */
  public static List<Found> list(List<Device> named) {
    Library.ONNX_RUNTIME.require();
    List<Found> found = new ArrayList<>();
    found.add(
        new Found(
            Device.CPU.name(),
            System.getProperty("os.arch"),
            "Microsoft",
            Backend.cpu().description(),
            "f32",
            ""));
    for (KnownPlugin plugin : KnownPlugin.values()) {
      found.addAll(devices(new Device(plugin.word(), Map.of())));
    }
    named.stream().filter(one -> one.file().isPresent()).forEach(d -> found.addAll(devices(d)));
    return found;
  }

  private static List<Found> devices(Device device) {
    try {
      return PluginLibrary.of(device).devices().stream()
          .filter(one -> !one.getEpName().endsWith(".AUTO")) // the same ones, again
          .map(one -> found(device, one))
          .toList();
    } catch (HarmonicaException e) {
      return List.of(new Found(device.name(), "", "", "", "", e.getMessage()));
    }
  }

  private static Found found(Device device, OrtEpDevice one) {
    boolean isOpenVino = OpenVino.provides(one);
    boolean isUsual = !isOpenVino || OpenVino.target(one).equals("CPU");
    Map<String, String> metadata = one.getEpMetadata();
    return new Found(
        isUsual ? device.name() : device.name() + ",ov_device=" + OpenVino.target(one),
        metadata.getOrDefault("FULL_DEVICE_NAME", one.getDevice().getType().toString()),
        one.getEpVendor(),
        PluginProvider.name(one) + " " + PluginProvider.version(one),
        isOpenVino ? OpenVino.usual(one) : "the engines' own type",
        "");
  }

  /** The words of plugins that can be installed. */
  public static List<String> installable() {
    return Arrays.stream(KnownPlugin.values()).map(KnownPlugin::word).toList();
  }

  /**
   * The package that holds a plugin.
   *
   * @throws HarmonicaException if there is none for this kind of machine
   */
  public static Wheel wheel(String word) {
    KnownPlugin plugin = known(word);
    String machine = System.getProperty("os.name") + " " + System.getProperty("os.arch");
    if (!machine.equals("Linux amd64")) {
      throw new HarmonicaException(
          "device %s is installed on Linux x86_64 alone, this is %s: run with `device` cpu, or name a plugin of yours by its path"
              .formatted(word, machine));
    }
    return new Wheel(plugin.distribution(), plugin.version(), plugin.sha256());
  }

  /** Whether a plugin is installed, in the version that this program takes. */
  public static boolean isInstalled(String word) {
    return PluginFolder.ofUser().has(known(word));
  }

  /**
   * Unpacks a plugin's package into the user's folder, whole or not at all.
   *
   * @return the plugin's folder
   * @throws HarmonicaException if the file is not that package, or the folder cannot be written
   */
  public static Path install(String word, Path wheel) {
    return PluginFolder.ofUser().install(known(word), wheel);
  }

  private static KnownPlugin known(String word) {
    return KnownPlugin.of(word)
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "device '%s' has no package, expected %s"
                        .formatted(word, KnownPlugin.words())));
  }
}
