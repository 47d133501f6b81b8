package io.harmonica.train;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Grain;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.sampler.AnyTime;
import io.harmonica.train.Tiny.Settings;
import io.harmonica.train.TrainOptions.Control;
import io.harmonica.train.TrainOptions.Objective;
import io.harmonica.train.TrainOptions.Reuses;
import io.harmonica.train.TrainOptions.Reusing;
import io.harmonica.train.search.Measure;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What training measures is what inference does with the router that comes out. */
class TrainedRouterTest {
  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource({
    "LAST, BRANCH, false",
    "LINEAR, BRANCH, true",
    "QUADRATIC, MODEL, false",
    "LEARNED, RUN, true",
    "LEARNED_QUADRATIC, BRANCH, true"
  })
  void trajectory_inTrainingAndInference_isTheSame(Reusing rule, Grain grain, boolean merges) {
    Settings settings =
        Settings.SHORT
            .reuse(new Reuses(rule, grain, merges))
            .start(merges ? "taylor" : "random")
            .iterations(2);
    try (Tiny tiny = new Tiny(settings.steps())) {
      List<Run> runs = check(tiny, settings).runs();
      List<Run> ofGrain = grain.runs(tiny.task.branches());
      assertThat(runs).containsAll(ofGrain);
      assertThat(runs.size() > ofGrain.size()).isEqualTo(merges);
    }
  }

  /** Updates of several evaluations, whose middle ones are steps like any. */
  @ParameterizedTest
  @CsvSource({
    "DISCRETE, dpm-solver-2, SDT, LAST",
    "CONTINUOUS, dpm-solver-2, SDT, LINEAR",
    "DISCRETE, dpm-solver-2, LTC, LAST",
    "DISCRETE, dpm-solver-fast, SDT, LEARNED",
    "CONTINUOUS, dpm-solver-fast, LTC, LAST"
  })
  void trajectory_ofSeveralEvaluationsAnUpdate_isTheSame(
      UVitSchedule schedule, String sampler, Objective objective, Reusing reuse) {
    Settings settings = Settings.SHORT.reuse(reuse).iterations(2).exchange(1);
    if (objective == Objective.LTC) {
      settings = settings.objective(objective).control(Control.cur(0.2));
    }
    AnyTime noising = schedule == UVitSchedule.DISCRETE ? AnyTime.DISCRETE : AnyTime.CONTINUOUS;
    try (Tiny tiny = new Tiny(settings.steps(), sampler, noising)) {
      Router router = check(tiny, settings);
      assertThat(router.sampler()).isEqualTo(sampler);
      assertThat(router.timesteps()).isEqualTo(tiny.task.sampler().timesteps());
      assertThat(reusing(router))
          .isSubsetOf(
              objective == Objective.SDT
                  ? List.of(1, 2, 3, 4, 5)
                  : sampler.equals("dpm-solver-2") ? List.of(2, 4) : List.of(3, 5));
      double before = router.training().path("exactErrorBefore").asDouble();
      assertThat(router.training().path("exactError").asDouble()).isBetween(1e-14, before);
    }
  }

  private static List<Integer> reusing(Router router) {
    return IntStream.range(0, router.steps())
        .filter(
            s -> IntStream.range(0, router.branches().size()).anyMatch(b -> !router.computes(s, b)))
        .boxed()
        .toList();
  }

  private Router check(Tiny tiny, Settings settings) {
    TrainingFiles files = new TrainingFiles(folder.resolve("router.json"));
    Router router =
        new Trainer(
                tiny.task,
                tiny.ops,
                settings.options(2, tiny.task.sampled().name()),
                files,
                TrainerTest.progress(new ArrayList<>()))
            .run(Optional.empty());
    Batch batch = tiny.denoising().draw(2, 11);
    float[] expected = hard(denoising(tiny, router), router, batch);
    float[] generated = generate(tiny.model, Router.read(files.router()), batch);
    assertClose(router.toString(), generated, expected, trajectoryTolerance(expected));
    float[] uncached = tiny.denoising().uncached(batch);
    assertThat(expected).isNotEqualTo(Arrays.copyOf(uncached, expected.length));
    return router;
  }

  /** By the router's columns. */
  private static Denoising denoising(Tiny tiny, Router router) {
    Denoising denoising = tiny.denoising();
    return denoising.with(
        router.runs().stream().map(run -> denoising.run(run.first(), run.last())).toList());
  }

  /** The pictures as {@link Measure} makes them. */
  private static float[] hard(Denoising denoising, Router router, Batch batch) {
    try (Walk walk = Walk.start(denoising, batch, 3, 0)) {
      denoising.finish(
          walk,
          at -> {
            boolean[] computes = new boolean[denoising.columns()];
            for (int c = 0; c < computes.length; c++) {
              computes[c] = router.score(at.step(), c) > router.threshold();
            }
            return Substitute.hard(denoising.ops(), at, computes, router.reuse()::weights);
          });
      return Arrays.copyOf(walk.x(), walk.x().length / 2);
    }
  }

  /** The pictures of the exported model. */
  private float[] generate(Model model, Router router, Batch batch) {
    Path repository = folder.resolve("repository");
    new Exporter(model, List.of(router), ExportOptions.of("dit").withForce(true))
        .export(repository);
    int n = batch.pictures();
    float[] noise = Arrays.copyOf(batch.noise(), batch.noise().length / 2);
    var io = model.denoiser().io();
    Request request =
        Request.of(Arrays.stream(batch.classes()).boxed().toList())
            .withRouter(router.name())
            .withGuidance(1.5)
            .withGuidanceChannels(4)
            .withLatents(new Latents(noise, n, io.channels(), io.height(), io.width()));
    try (Pipeline pipeline = Pipeline.open(repository, "dit")) {
      return pipeline.generate(request).latents().values();
    }
  }
}
