package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Reuse;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Requests that come together are drawn together, and each gets what is its own. */
class GatheringTest {
  private static final int STEPS = 8;

  /** Relative to {@code max(1, |x|)}: matrices of other sizes add up in another order. */
  private static final double TOLERANCE = 1e-5;

  /** Long enough for all that a test sends to come together on a busy machine. */
  private static final Duration WAIT = Duration.ofSeconds(2);

  @TempDir static Path repository;

  private static ExecutorService threads;

  @BeforeAll
  static void export() {
    threads = Executors.newFixedThreadPool(2);
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      new Exporter(
              model,
              List.of(Exports.staggered("linear", model, STEPS, 3, Reuse.LINEAR)),
              ExportOptions.of("dit"))
          .export(repository);
    }
  }

  @AfterAll
  static void stop() {
    threads.shutdown();
  }

  private static Request request(int picture) {
    return Request.of(List.of(picture % 5)).withRouter("linear").withSeed(picture);
  }

  private static Pipeline batching(int most) {
    return Pipeline.builder("dit").repository(repository).batching(most, WAIT).open();
  }

  private static void assertAlone(Result result, Request request) {
    try (Pipeline pipeline = Pipeline.open(repository, "dit")) {
      float[] expected = pipeline.generate(request).latents().values();
      float[] actual = result.latents().values();
      assertThat(actual).hasSameSizeAs(expected);
      for (int i = 0; i < actual.length; i++) {
        double difference = Math.abs(actual[i] - expected[i]);
        assertThat(difference).isLessThanOrEqualTo(TOLERANCE * Math.max(1, Math.abs(expected[i])));
      }
    }
  }

  /** Of sixteen, eight by eight: every engine runs twice as often as for a single picture. */
  @Test
  void sixteenRequests_goByEights_andGiveThePicturesOfEachAlone() {
    try (Pipeline pipeline = batching(8)) {
      List<CompletableFuture<Result>> results = new ArrayList<>();
      for (int i = 0; i < 16; i++) {
        results.add(pipeline.generateAsync(request(i), threads));
      }
      for (int i = 0; i < 16; i++) {
        assertAlone(results.get(i).join(), request(i));
      }
      assertThat(pipeline.statistics().models().get("dit-head").count()).isEqualTo(2 * STEPS);
    }
  }

  @Test
  void otherGuidance_goesByItself_andThreadsMayWait() throws Exception {
    try (Pipeline pipeline = batching(4)) {
      Request guided = request(3).withGuidance(4);
      CompletableFuture<Result> waited =
          CompletableFuture.supplyAsync(() -> pipeline.generate(request(1)));
      CompletableFuture<Result> other = pipeline.generateAsync(guided, threads);
      CompletableFuture<Result> same = pipeline.generateAsync(request(2), threads);
      assertAlone(other.join(), guided);
      assertAlone(same.join(), request(2));
      assertAlone(waited.join(), request(1));
    }
  }

  @Test
  void cancelledAndFailingOnes_touchNoOther() {
    try (Pipeline pipeline = batching(8)) {
      float[] large = new float[4 * 8 * 8];
      Arrays.fill(large, 1e38f);
      Latents overflowing = new Latents(large, 1, 4, 8, 8);
      List<Integer> seen = new ArrayList<>();
      List<float[]> last = new ArrayList<>();
      CompletableFuture<Result> followed =
          pipeline.generateAsync(
              request(0),
              step -> {
                seen.add(step.step());
                last.add(step.latentsCopy());
                return true;
              },
              threads);
      CompletableFuture<Result> cancels =
          pipeline.generateAsync(request(1), step -> step.step() < 2, threads);
      CompletableFuture<Result> fails =
          pipeline.generateAsync(
              request(2),
              step -> {
                throw new IllegalStateException("mine");
              },
              threads);
      CompletableFuture<Result> takenBack = pipeline.generateAsync(request(3), threads);
      CompletableFuture<Result> plain = pipeline.generateAsync(request(4), threads);
      takenBack.cancel(true);
      assertAlone(plain.join(), request(4));
      assertAlone(followed.join(), request(0));
      assertThat(seen).containsExactly(0, 1, 2, 3, 4, 5, 6, 7);
      assertThat(last.get(7)).isEqualTo(followed.join().latents().values());
      assertThatThrownBy(cancels::join).isInstanceOf(CancellationException.class);
      assertThatThrownBy(fails::join)
          .isInstanceOf(CompletionException.class)
          .hasRootCauseMessage("mine");
      // One whose numbers overflow takes nobody along.
      CompletableFuture<Result> broken =
          pipeline.generateAsync(request(5).withLatents(overflowing), threads);
      CompletableFuture<Result> sound = pipeline.generateAsync(request(6), threads);
      assertThatThrownBy(broken::join).hasCauseInstanceOf(HarmonicaException.class);
      assertAlone(sound.join(), request(6));
    }
  }

  /** Its noise goes by the picture's seed, of which a trajectory has one. */
  @Test
  void samplerWithFreshNoise_goesByItself() {
    try (Pipeline pipeline = batching(4)) {
      Request first = Request.of(List.of(1)).withSampler("iddpm").withSteps(4).withSeed(3);
      CompletableFuture<Result> one = pipeline.generateAsync(first, threads);
      CompletableFuture<Result> two = pipeline.generateAsync(first.withSeed(4), threads);
      assertAlone(one.join(), first);
      assertAlone(two.join(), first.withSeed(4));
      assertThat(pipeline.statistics().models().get("dit-head").count()).isEqualTo(2 * 4);
    }
  }

  /** Nobody waits for ever. */
  @Test
  void executorThatIsGone_failsItsOwn_andOthersDrawOnTheirs() {
    ExecutorService gone = Executors.newSingleThreadExecutor();
    gone.shutdown();
    try (Pipeline pipeline = batching(8)) {
      CompletableFuture<Result> first = pipeline.generateAsync(request(0), gone);
      CompletableFuture<Result> second = pipeline.generateAsync(request(1), threads);
      assertAlone(first.join(), request(0));
      assertAlone(second.join(), request(1));
      CompletableFuture<Result> lone = pipeline.generateAsync(request(2), gone);
      assertThatThrownBy(lone::join).hasCauseInstanceOf(RejectedExecutionException.class);
    }
  }

  @Test
  void requestThatDoesNotFit_isRefusedAtOnce_asWithoutOthers() {
    try (Pipeline pipeline = batching(4)) {
      assertThatThrownBy(() -> pipeline.generate(Request.of(List.of(4711))))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("unknown class 4711");
    }
    assertThatThrownBy(() -> Pipeline.builder("dit").batching(0, WAIT))
        .hasMessageContaining("`batching` 0 must be 1 or more");
  }
}
