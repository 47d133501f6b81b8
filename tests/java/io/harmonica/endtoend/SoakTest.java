package io.harmonica.endtoend;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.InFlight;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.origin.Model;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.triton.Fleet;
import io.harmonica.triton.Retry;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.SharedMemory;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Many trajectories on two servers that are killed, cut off and silenced all the time: none lost,
 * none wrong, nothing left behind. {@code -Dsoak=2000} takes so many trajectories, by default a
 * few.
 */
@Tag("triton")
@Timeout(value = 6, unit = TimeUnit.HOURS) // as many trajectories as one asks for
class SoakTest {
  private static final int TRAJECTORIES = Integer.getInteger("soak", 100);
  private static final int IN_FLIGHT = 16;
  private static final int STEPS = 12;
  private static final int REQUESTS = 12; // different ones, which recur
  private static final Duration DEADLINE = Duration.ofSeconds(2);

  /** While one server is started again, which takes seconds, the other may miss a deadline. */
  private static final Retry RETRY = Retry.DEFAULTS.withAttempts(12);

  @TempDir static Path folder;

  private static Faults faults;
  private static final List<float[]> UNDISTURBED = new ArrayList<>();

  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Router router = Exports.staggered("r", model, STEPS, 2, Reuse.LAST);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, List.of(router), options).export(folder);
    }
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      for (int i = 0; i < REQUESTS; i++) {
        UNDISTURBED.add(here.generate(request(i)).latents().values());
      }
    }
    faults = Faults.on(folder, DEADLINE);
  }

  @AfterAll
  static void stop() throws Exception {
    if (faults != null) {
      faults.close();
    }
  }

  /** Mostly routed, with one picture or two. */
  private static Request request(int i) {
    Request request =
        Request.of(i % 2 == 0 ? List.of(i % 3) : List.of(1, 2)).withGuidance(4).withSeed(i);
    return i % 4 == 3 ? request.withSteps(STEPS) : request.withRouter("r");
  }

  @ParameterizedTest
  @CsvSource({"OFF, 0.75", "ON, 0.25"})
  void faultsOfEveryKind_loseNothing_andLeaveNothing(SharedMemory shared, double share)
      throws Exception {
    int count = (int) (TRAJECTORIES * share);
    Footprint before = Footprint.take();
    long start = System.nanoTime();
    ServerOptions options = new ServerOptions(DEADLINE).withRetry(RETRY).withSharedMemory(shared);
    Fleet fleet = Fleet.connect(faults.addresses(), options);
    Footprint early;
    Footprint late;
    try (Pipeline pipeline = Pipeline.over(fleet, "dit")) {
      soak(pipeline, count / 4); // to warm up
      early = Footprint.take();
      soak(pipeline, count - count / 4);
      late = Footprint.take();
    }
    Map<Faults.Kind, Integer> done = faults.takeCounts();
    if (System.getProperty("soak") != null) {
      System.out.printf(
          "%d trajectories, shared memory %s, in %.0f s; faults %s; %d failovers, %d retries%n"
              + "  early: %s%n  late: %s%n",
          count,
          shared,
          (System.nanoTime() - start) / 1e9,
          done,
          fleet.failovers(),
          fleet.retries(),
          early,
          late);
    }
    assertThat(fleet.failovers()).isPositive();
    assertThat(done).containsOnlyKeys(Faults.Kind.values());
    assertThat(fleet.traffic().sharedBytes() > 0).isEqualTo(shared == SharedMemory.ON);
    // Idle regions stay open for the next trajectories, at most one for each in flight a server.
    int idle = shared == SharedMemory.ON ? 2 * IN_FLIGHT : 0;
    assertThat(late.handles()).isLessThanOrEqualTo(early.handles() + idle + 8);
    assertThat(late.regions()).isLessThanOrEqualTo(before.regions() + idle);
    assertThat(late.threads()).isLessThanOrEqualTo(early.threads() + 2 * IN_FLIGHT);
    assertThat(late.heapBytes()).isLessThanOrEqualTo(early.heapBytes() + (8 << 20));
    assertThat(late.directBytes()).isLessThanOrEqualTo(early.directBytes() + (16 << 20));
    assertThat(late.residentBytes()).isLessThanOrEqualTo(early.residentBytes() + (128 << 20));
    Footprint closed = Footprint.take();
    assertThat(closed.regions()).isLessThanOrEqualTo(before.regions());
    assertThat(closed.mapped()).isLessThanOrEqualTo(before.mapped());
  }

  /** Runs so many trajectories while faults keep coming, and looks at every picture. */
  private static void soak(Pipeline pipeline, int count) throws Exception {
    AtomicIntegerArray taken = new AtomicIntegerArray(count);
    Semaphore done = new Semaphore(0);
    AtomicReference<Throwable> fault = new AtomicReference<>();
    Thread tormentor = new Thread(() -> torment(done, fault), "tormentor");
    tormentor.start();
    try {
      Iterator<InFlight.Job<Integer>> jobs =
          IntStream.range(0, count)
              .mapToObj(i -> new InFlight.Job<>(i, request(i % REQUESTS)))
              .iterator();
      new InFlight(pipeline, IN_FLIGHT)
          .run(
              jobs,
              (i, result) -> {
                taken.incrementAndGet(i);
                float[] expected = UNDISTURBED.get(i % REQUESTS);
                Golden.assertClose("trajectory " + i, result.latents().values(), expected, 1e-5);
                done.release();
              },
              () -> fault.get() != null);
    } finally {
      tormentor.interrupt();
      tormentor.join();
    }
    assertThat(fault.get()).isNull();
    assertThat(IntStream.range(0, count).map(taken::get)).containsOnly(1);
    faults.awaitMended();
  }

  /** Something bad after every few pictures. */
  private static void torment(Semaphore done, AtomicReference<Throwable> fault) {
    try {
      while (true) {
        done.acquire(4);
        faults.next();
      }
    } catch (InterruptedException e) {
      return; // all pictures are there
    } catch (Exception | Error e) {
      fault.set(e);
    }
  }
}
