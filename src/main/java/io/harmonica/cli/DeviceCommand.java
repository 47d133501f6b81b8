package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.runtime.Devices;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.apache.commons.cli.Options;

/** {@code harmonica device}: installs what computes in this process besides ONNX Runtime. */
final class DeviceCommand implements Command {
  private static final String INSTALL = "install";

  @Override
  public String name() {
    return "device";
  }

  @Override
  public String summary() {
    return "install a plugin that computes in this process, for --device";
  }

  @Override
  public List<String> usage() {
    return List.of("install %s [--from FILE]".formatted(String.join("|", Devices.installable())));
  }

  @Override
  public Options options() {
    return new OptionList()
        .value(
            "from", "FILE", "the plugin's package, got on a machine with network (default: by pip)")
        .options();
  }

  @Override
  public List<String> arguments() {
    return List.of("ACTION", "DEVICE");
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica device install openvino",
        "bin/harmonica device install openvino"
            + " --from onnxruntime_ep_openvino-1.8.1-py3-none-manylinux_2_28_x86_64.whl");
  }

  @Override
  public int run(Arguments arguments, Console console) throws IOException {
    Arguments.requireChoice("ACTION", arguments.argument(0), List.of(INSTALL));
    String device = arguments.argument(1);
    Arguments.requireChoice("DEVICE", device, Devices.installable());
    Devices.Wheel wheel = Devices.wheel(device);
    if (arguments.has("from")) {
      Path folder = Devices.install(device, arguments.requiredPath("from"));
      tell(device, wheel, folder, console);
      return CommandRunner.DONE;
    }
    if (Devices.isInstalled(device)) {
      console.out().printf("device %s %s is installed already%n", device, wheel.version());
      return CommandRunner.DONE;
    }
    Path downloads = Files.createTempDirectory("harmonica-device");
    try {
      console.err().printf("getting %s %s by pip%n", wheel.name(), wheel.version());
      tell(device, wheel, Devices.install(device, download(wheel, downloads)), console);
      return CommandRunner.DONE;
    } finally {
      delete(downloads);
    }
  }

  private static void tell(String device, Devices.Wheel wheel, Path folder, Console console) {
    console.out().printf("device %s %s installed in %s%n", device, wheel.version(), folder);
  }

  /** Has pip get the package's one file for this machine, held to its digest. */
  private static Path download(Devices.Wheel wheel, Path folder) throws IOException {
    Path requirements = folder.resolve("requirements.txt");
    Files.writeString(
        requirements,
        "%s==%s --hash=sha256:%s%n".formatted(wheel.name(), wheel.version(), wheel.sha256()));
    Path log = folder.resolve("pip.log");
    String python = System.getenv().getOrDefault("PYTHON", "python3");
    ProcessBuilder pip =
        new ProcessBuilder(
                python,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--disable-pip-version-check",
                "--no-deps",
                "--only-binary=:all:",
                "--require-hashes",
                "--dest",
                folder.toString(),
                "--requirement",
                requirements.toString())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile());
    int code;
    try {
      code = pip.start().waitFor();
    } catch (IOException e) {
      throw fault(wheel, "no Python at '%s'".formatted(python), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new HarmonicaException(HarmonicaException.Kind.CANCELLED, "interrupted", e);
    }
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".whl"))
          .findFirst()
          .orElseThrow(() -> fault(wheel, "pip ended with " + code + ": " + lastLine(log), null));
    }
  }

  private static HarmonicaException fault(Devices.Wheel wheel, String what, Throwable cause) {
    return new HarmonicaException(
        HarmonicaException.Kind.FILES,
        "cannot get %s %s (%s): name a Python with pip by PYTHON=..., or get the file on a machine with network (pip download --no-deps %s==%s) and name it by --from"
            .formatted(wheel.name(), wheel.version(), what, wheel.name(), wheel.version()),
        cause);
  }

  private static String lastLine(Path log) {
    try {
      List<String> lines =
          new String(Files.readAllBytes(log), StandardCharsets.UTF_8)
              .lines()
              .filter(line -> !line.isBlank())
              .toList();
      return lines.isEmpty() ? "it said nothing" : lines.get(lines.size() - 1);
    } catch (IOException e) {
      return AtomicFile.reason(e);
    }
  }

  private static void delete(Path folder) throws IOException {
    List<Path> all;
    try (Stream<Path> files = Files.walk(folder)) {
      all = files.sorted(Comparator.reverseOrder()).toList();
    }
    for (Path file : all) {
      Files.delete(file);
    }
  }
}
