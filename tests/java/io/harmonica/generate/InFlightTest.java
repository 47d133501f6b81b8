package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.Eventually;
import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.triton.ServerOptions;
import io.harmonica.triton.TritonServer;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Many generations in flight, on a real server and in this process. */
@Tag("triton")
class InFlightTest {
  private static final int REQUESTS = 24;

  @TempDir static Path folder;

  private static TritonServer server;

  @BeforeAll
  static void serve() throws Exception {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      ExportOptions options = ExportOptions.of("dit").withBlocksPerEngine(0);
      new Exporter(model, List.of(Exports.everyOther("r", model)), options).export(folder);
    }
    server = TritonServer.start(folder);
  }

  @AfterAll
  static void stop() {
    if (server != null) {
      server.close();
    }
  }

  private static Request request(int i) {
    return Request.of(List.of(i % 3)).withRouter("r").withSeed(i);
  }

  private static Iterator<InFlight.Job<Integer>> jobs() {
    return IntStream.range(0, REQUESTS).mapToObj(i -> new InFlight.Job<>(i, request(i))).iterator();
  }

  @Test
  void requestsInFlight_giveWhatEachGivesAlone_onFewThreads() {
    try (Pipeline pipeline =
            Pipeline.connect(server.address(), "dit", ServerOptions.DEFAULTS.withPerServer(3));
        Pipeline here = Pipeline.open(folder, "dit")) {
      Map<Integer, float[]> results = new ConcurrentHashMap<>();
      AtomicInteger taking = new AtomicInteger();
      new InFlight(pipeline, 8)
          .run(
              jobs(),
              (i, result) -> {
                taking.incrementAndGet();
                results.put(i, result.latents().values());
              },
              () -> false);
      assertThat(taking).hasValue(REQUESTS);
      for (int i = 0; i < REQUESTS; i++) {
        float[] alone = here.generate(request(i)).latents().values();
        Golden.assertClose("latents " + i, results.get(i), alone, 1e-5);
      }
    }
  }

  @Test
  void slowTaker_holdsBackTheOthers() {
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      AtomicInteger begun = new AtomicInteger();
      AtomicInteger taken = new AtomicInteger();
      AtomicInteger most = new AtomicInteger();
      Iterator<InFlight.Job<Integer>> counted =
          IntStream.range(0, REQUESTS)
              .mapToObj(
                  i -> {
                    most.accumulateAndGet(begun.incrementAndGet() - taken.get(), Math::max);
                    return new InFlight.Job<>(i, request(i));
                  })
              .iterator();
      new InFlight(here, 3).run(counted, (i, result) -> taken.incrementAndGet(), () -> false);
      assertThat(taken).hasValue(REQUESTS);
      assertThat(most.get()).isBetween(1, 3);
    }
  }

  @Test
  void fault_endsTheRest_andIsThrown() {
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      AtomicInteger taken = new AtomicInteger();
      assertThatThrownBy(
              () ->
                  new InFlight(here, 2)
                      .run(
                          jobs(),
                          (i, result) -> {
                            if (taken.incrementAndGet() == 5) {
                              throw new HarmonicaException("the disk is full");
                            }
                          },
                          () -> false))
          .isInstanceOf(HarmonicaException.class)
          .hasMessage("the disk is full");
      // how many more land before the fault is seen, the machine decides; not all
      assertThat(taken.get()).isBetween(5, REQUESTS - 1);
    }
  }

  @Test
  void listener_ofAGenerationInFlight_seesItsSteps_andMayCancel() {
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      List<Integer> seen = new CopyOnWriteArrayList<>();
      CompletableFuture<Result> cancelled =
          here.generateAsync(
              request(1),
              step -> {
                seen.add(step.step());
                return step.step() < 1;
              },
              ForkJoinPool.commonPool());
      assertThatThrownBy(cancelled::join).isInstanceOf(CancellationException.class);
      assertThat(seen).containsExactly(0, 1);
    }
  }

  @Test
  void stop_letsThoseInFlightEnd() {
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      AtomicInteger taken = new AtomicInteger();
      new InFlight(here, 2)
          .run(jobs(), (i, result) -> taken.incrementAndGet(), () -> taken.get() > 3);
      assertThat(taken.get()).isBetween(4, 7);
    }
  }

  @Test
  void faultOfARequest_completesItsFuture() {
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      Request unknown = request(0).withRouter("unknown");
      CompletableFuture<Result> future = here.generateAsync(unknown, ForkJoinPool.commonPool());
      assertThatThrownBy(future::join)
          .cause()
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("has no router 'unknown'");
    }
  }

  @Test
  void cancelled_stopsCalling() throws Exception {
    try (Pipeline pipeline = Pipeline.connect(server.address(), "dit")) {
      Request longOne = Request.of(List.of(1)).withSteps(1000);
      CompletableFuture<Result> future = pipeline.generateAsync(longOne, ForkJoinPool.commonPool());
      long before = uncached(pipeline);
      Eventually.until("three steps", () -> uncached(pipeline) >= before + 3);
      future.cancel(true);
      assertThatThrownBy(future::join).isInstanceOf(CancellationException.class);
      long after = uncached(pipeline);
      pipeline.generate(Request.of(List.of(1)).withSteps(50)); // the cancelled one would go on too
      assertThat(uncached(pipeline)).isBetween(after + 50, after + 51); // one was on its way
    }
  }

  private static long uncached(Pipeline pipeline) {
    return pipeline.statistics().models().get("dit").count();
  }

  @Test
  void noneInFlight_isRefused() {
    try (Pipeline here = Pipeline.open(folder, "dit")) {
      assertThatIllegalArgumentException().isThrownBy(() -> new InFlight(here, 0));
    }
  }
}
