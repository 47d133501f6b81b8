package io.harmonica.endtoend;

import io.grpc.netty.shaded.io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * What this process holds at a moment, after garbage was collected.
 *
 * @param directBytes buffers outside of the heap: Java's own and gRPC's
 * @param mapped pieces of shared memory that are mapped
 * @param residentBytes of the whole process, what the heap once took included
 * @param handles open files, sockets among them
 * @param regions files of shared memory, of every client on this machine
 */
record Footprint(
    long heapBytes,
    long directBytes,
    long mapped,
    long residentBytes,
    long threads,
    long handles,
    long regions) {

  static Footprint take() {
    for (int i = 0; i < 4; i++) { // buffers are freed behind what is collected
      System.gc();
      System.runFinalization();
    }
    return new Footprint(
        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed(),
        pool("direct").getMemoryUsed() + Math.max(0, PlatformDependent.usedDirectMemory()),
        pool("mapped").getCount(),
        resident(),
        ManagementFactory.getThreadMXBean().getThreadCount(),
        entries("/proc/self/fd", ""),
        entries("/dev/shm", "harmonica-region-"));
  }

  private static BufferPoolMXBean pool(String name) {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals(name))
        .findFirst()
        .orElseThrow();
  }

  private static long resident() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      String line = lines.filter(text -> text.startsWith("VmRSS:")).findFirst().orElseThrow();
      return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static long entries(String folder, String prefix) {
    try (Stream<Path> files = Files.list(Path.of(folder))) {
      return files.filter(file -> file.getFileName().toString().startsWith(prefix)).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "heap %.1f MB, direct %.1f MB, mapped %d, resident %.0f MB, threads %d, handles %d, regions %d",
        heapBytes / 1e6,
        directBytes / 1e6,
        mapped,
        residentBytes / 1e6,
        threads,
        handles,
        regions);
  }
}
