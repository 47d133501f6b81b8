package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.metrics.Metrics;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Session;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Makes the trajectories of admitted requests: batches of pictures, each with its noise and
 * condition.
 *
 * @param whole whether a trajectory is one call of a {@link WholeModel}
 */
record Trajectories(
    Runtime runtime,
    Manifest manifest,
    Admission admission,
    Plans plans,
    Metrics metrics,
    boolean whole) {

  /** All trajectories of a request, none of them begun. */
  Drawing of(Request request, Admitted admitted, StepListener listener) {
    Noise seeded = new Noise(request.seed());
    Latents noise = noise(request);
    if (whole) {
      WholeModel model = WholeModel.of(runtime, admitted, request.style());
      return new Drawing(
          noise,
          model.maxBatch(),
          (first, end) -> whole(model, admitted, request, noise, first, end, listener));
    }
    return new Drawing(
        noise,
        manifest.maxBatch() / admitted.rows(1),
        (first, end) -> trajectory(admitted, request, noise, seeded, first, end, listener));
  }

  private Course whole(
      WholeModel model,
      Admitted admitted,
      Request request,
      Latents noise,
      int first,
      int end,
      StepListener listener) {
    return new WholeTrajectory(
        runtime,
        model.name(),
        admitted,
        model.inputs(
            noise.rows(first, end),
            request.content().rows(first, end),
            admission.guidanceScale(request.style())),
        first,
        new Recorder(metrics, admitted, end - first, listener));
  }

  /** The models that requests of a style call. */
  Stream<String> models(Admitted admitted, Style style) {
    if (whole) {
      return Stream.of(WholeModel.of(runtime, admitted, style).name());
    }
    Stream<String> own = admitted.program().calls().stream().map(Program.Call::model);
    Stream<String> models =
        admitted.skipping().isPresent()
            ? Stream.concat(own, Stream.of(Names.skipping(manifest.model()))).distinct()
            : own.distinct();
    return Ahead.isTaken(runtime, admitted)
        ? models.flatMap(model -> Stream.of(model, Names.conditioned(model))) // by rows
        : models;
  }

  /** What its trajectories start from: given, or drawn from its seed. */
  Latents noise(Request request) {
    Latents noise =
        request.latents().orElseGet(() -> start(new Noise(request.seed()), request.count()));
    requireFits(noise);
    return noise;
  }

  /** The trajectory of some of a request's pictures, {@code first} inclusive, {@code end} not. */
  private Trajectory trajectory(
      Admitted admitted,
      Request request,
      Latents noise,
      Noise seeded,
      int first,
      int end,
      StepListener listener) {
    int rows = admitted.rows(end - first);
    Content content = request.content().rows(first, end);
    boolean guided = admitted.guidance().doublesBatch();
    double scale = admission.guidanceScale(request.style());
    Conditions conditions = new Conditions(runtime, manifest, guided, scale, content);
    Optional<Ahead> ahead = Ahead.of(runtime, admitted, plans::config, conditions, rows);
    Session session = runtime.session(() -> plans.of(admitted.program(), rows, ahead));
    try {
      return new Trajectory(
          admitted,
          runtime,
          session,
          noise.rows(first, end),
          conditions,
          ahead,
          first,
          seeded,
          new Recorder(metrics, admitted, end - first, listener));
    } catch (RuntimeException e) {
      session.close();
      throw e;
    }
  }

  /** Refuses samples of another model. */
  void requireFits(Latents noise) {
    if (noise.channels() != manifest.channels()
        || noise.height() != manifest.height()
        || noise.width() != manifest.width()) {
      throw new HarmonicaException(
          "latents are [%d, %d, %d] a row, model %s takes [%d, %d, %d]"
              .formatted(
                  noise.channels(),
                  noise.height(),
                  noise.width(),
                  manifest.model(),
                  manifest.channels(),
                  manifest.height(),
                  manifest.width()));
    }
  }

  private Latents start(Noise noise, int count) {
    int channels = manifest.channels();
    int height = manifest.height();
    int width = manifest.width();
    float[] values = noise.start(count, channels * height * width);
    return new Latents(values, count, channels, height, width);
  }
}
