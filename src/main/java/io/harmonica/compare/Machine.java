package io.harmonica.compare;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;

/**
 * What a measurement ran on.
 *
 * @param cores processors that this JVM may use
 * @param memoryBytes memory of the machine, or of its container
 * @param runtime what computed the engines, with its version
 */
public record Machine(
    String cpu, int cores, long memoryBytes, String os, String jdk, String runtime) {

  /**
   * This machine.
   *
   * @param runtime for example {@code ONNX Runtime 1.23.2}
   */
  public static Machine here(String runtime) {
    return new Machine(
        cpuModel(),
        Runtime.getRuntime().availableProcessors(),
        memory(),
        System.getProperty("os.name") + " " + System.getProperty("os.version"),
        System.getProperty("java.vendor") + " " + System.getProperty("java.runtime.version"),
        runtime);
  }

  /** All of it in one line. */
  public String line() {
    return "%s, %d %s, %.0f GiB, %s, JDK %s, %s"
        .formatted(
            cpu, cores, cores == 1 ? "core" : "cores", memoryBytes / 0x1p30, os, jdk, runtime);
  }

  private static long memory() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : 0;
  }

  /** The model as Linux tells it, elsewhere the architecture. */
  private static String cpuModel() {
    String architecture = System.getProperty("os.arch");
    try (Stream<String> lines = Files.lines(Path.of("/proc/cpuinfo"))) {
      return lines
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 1).strip())
          .findFirst()
          .orElse(architecture);
    } catch (IOException e) {
      return architecture;
    }
  }
}
