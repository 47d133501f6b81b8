package io.harmonica.train;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shapes;
import io.harmonica.model.Streams;
import io.harmonica.router.Grain;
import io.harmonica.sampler.Guidance;
import io.harmonica.train.search.Routed;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.function.IntPredicate;
import java.util.stream.Stream;

/** The memory of this process, libtorch's included, and of its machine; known on Linux only. */
public final class Memory {
  private static final long KIB = 1024;

  /**
   * Collectors keep a part of -Xmx for themselves, a thirtieth for example, and work in the rest.
   */
  private static final double HEAP_MARGIN = 1.1;

  private Memory() {}

  /**
   * Refuses a batch that the machine's memory, or Java's heap, will not hold: asked for too much,
   * Linux does not refuse but kills, and an exchange comes last.
   *
   * @param inProcess whether the model runs here, and not on a device with memory of its own
   */
  public static void requireRoom(Denoiser model, TrainOptions options, boolean inProcess) {
    int rows = // that the model sees for a picture
        model.io().shows().guided() ? 1 : Guidance.rows(options.trajectory().guidance());
    long heap =
        options.effort().exchange() > 0
            ? heapBytes(model, options.reuse().grain(), options.trajectory().steps(), rows)
            : 0;
    requireHeap(heap, options.effort().batch(), Runtime.getRuntime().maxMemory());
    long all = heap + (inProcess ? bytes(model, rows) : 0);
    availableBytes().ifPresent(room -> requireRoom(all, options.effort().batch(), room));
  }

  static void requireRoom(long bytesPerPicture, int batch, long room) {
    if ((double) bytesPerPicture * batch > room) {
      long fits = room / bytesPerPicture;
      throw new HarmonicaException(
          String.format(
              Locale.ROOT,
              "`batch` %d needs about %.1f GiB of memory, and %.1f GiB are available: %s",
              batch,
              (double) bytesPerPicture * batch / 0x1p30,
              room / 0x1p30,
              fits > 0 ? "`batch` %d would fit".formatted(fits) : "not even `batch` 1 fits"));
    }
  }

  static void requireHeap(long bytesPerPicture, int batch, long heap) {
    double needed = (double) bytesPerPicture * batch;
    if (needed > heap) {
      long fits = heap / bytesPerPicture;
      throw new HarmonicaException(
          String.format(
              Locale.ROOT,
              "`exchange` with `batch` %d needs about %.1f GiB of Java's heap, which may grow to %.1f GiB: start with JAVA_OPTS=-Xmx%.0fg%s",
              batch,
              needed / 0x1p30,
              heap / 0x1p30,
              Math.ceil(HEAP_MARGIN * needed / 0x1p30) + 1,
              fits > 0 ? ", or `batch` " + fits : ""));
    }
  }

  /**
   * For a picture: a pass's results, the mixing, the cache, and what credit keeps of some steps.
   */
  private static long bytes(Denoiser model, int rows) {
    return rows * Float.BYTES * (Shapes.elements(model) + 9 * outputs(model));
  }

  /**
   * What an exchange keeps of a picture in Java's heap, a {@link Routed} trajectory: what each
   * column computes at each step, and as much again for what is forecast and what looks back.
   */
  static long heapBytes(Denoiser model, Grain grain, int steps, int rows) {
    long width = Shapes.handedOn(model).get(Streams.HIDDEN)[1];
    long elements =
        Columns.of(grain, model).all().stream()
            .mapToLong(
                column ->
                    column
                        .change()
                        .map(change -> width * change.rows())
                        .orElseGet(() -> model.branchElements().get(column.first())))
            .sum();
    return 2L * steps * rows * Float.BYTES * elements;
  }

  private static long outputs(Denoiser model) {
    return model.branchElements().stream().mapToLong(Long::longValue).sum();
  }

  /** What to say where a device's memory did not suffice: the largest half of a half that fits. */
  static HarmonicaException exhausted(int batch, IntPredicate fits, RuntimeException cause) {
    int smaller = batch / 2;
    while (smaller > 0 && !fits.test(smaller)) {
      smaller /= 2;
    }
    return new HarmonicaException(
        "out of memory with `batch` %d: %s"
            .formatted(
                batch,
                smaller > 0
                    ? "`batch` %d fits".formatted(smaller)
                    : "not even `batch` 1 fits; use `precision` bf16, or another `device`"),
        cause);
  }

  /** The most that was resident so far, in bytes. */
  static OptionalLong peakBytes() {
    return field(Path.of("/proc/self/status"), "VmHWM:", KIB);
  }

  private static OptionalLong availableBytes() {
    OptionalLong machine = field(Path.of("/proc/meminfo"), "MemAvailable:", KIB);
    try { // a container's own limit
      long most = number(Path.of("/sys/fs/cgroup/memory.max"));
      long files = field(Path.of("/sys/fs/cgroup/memory.stat"), "inactive_file ", 1).orElse(0);
      long left = most - number(Path.of("/sys/fs/cgroup/memory.current")) + files; // given back
      return OptionalLong.of(Math.min(left, machine.orElse(left)));
    } catch (IOException | NumberFormatException e) { // there is none, or it is "max"
      return machine;
    }
  }

  private static long number(Path file) throws IOException {
    return Long.parseLong(Files.readString(file).strip());
  }

  private static OptionalLong field(Path file, String name, long unit) {
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith(name))
          .mapToLong(line -> Long.parseLong(line.replaceAll("\\D", "")) * unit)
          .findFirst();
    } catch (IOException e) {
      return OptionalLong.empty();
    }
  }
}
