package io.harmonica.results;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.ExportOptions.Platform;
import io.harmonica.export.Exporter;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.origin.TextSource;
import io.harmonica.picture.Latents;
import io.harmonica.router.Router;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Makes the sets of pictures: one export with all routers, one pipeline. Uncached sets are kept on
 * disk, since every cell is compared to one.
 */
final class PictureSets implements AutoCloseable {
  private static final String MODEL = "measured";
  private static final String LATENTS = "latents";

  private final Settings settings;
  private final String checkpoint;
  private final Pipeline pipeline;
  private final Content content;
  private final PrintStream progress;

  /**
   * Exports and opens the model.
   *
   * @param checkpoint digest of the weights
   */
  PictureSets(Settings settings, String checkpoint, List<Router> routers, PrintStream progress) {
    this.settings = settings;
    this.checkpoint = checkpoint;
    this.progress = progress;
    int rows = settings.batch() * (settings.guidance() > 1 ? 2 : 1);
    Path repository = settings.work().resolve("models");
    PipelineParts parts = PipelineParts.of(settings.checkpoint());
    try (Checkpoint weights = settings.weights();
        TextSource text =
            parts
                .textEncoder(0)
                .map(encoder -> TextSource.open(encoder, parts.tokenizer(0).orElseThrow()))
                .orElse(null)) {
      Model model = settings.model(weights);
      ExportOptions options =
          new ExportOptions(MODEL, Precision.FP32, Platform.ONNXRUNTIME, 1, rows, true);
      Exporter exporter =
          new Exporter(model, routers, options).withSampling(settings.sampling(model));
      if (text != null) {
        exporter.withTexts(
            List.of(Optional.of(new Exporter.Text(text.encoder(), text.tokenizer().packed()))));
      }
      exporter.export(repository);
    }
    pipeline = Pipeline.open(repository, MODEL);
    content = settings.subject().content(pipeline, settings.count());
  }

  /** The pictures of a router. */
  Latents routed(Router router) {
    return generate(request(content).withRouter(router.name()), router.name());
  }

  /** The uncached pictures, from disk where they were made before. */
  Latents uncached(Trajectory trajectory) {
    Path file =
        settings
            .work()
            .resolve(
                "uncached-%s-%s-guidance%s-seed%d-%d.safetensors"
                    .formatted(
                        trajectory.name(),
                        checkpoint,
                        settings.guidance(),
                        settings.seed(),
                        settings.count()));
    if (Files.exists(file)) {
      try (Checkpoint kept = Checkpoint.open(file)) {
        List<Integer> shape = kept.tensor(LATENTS).shape().stream().map(Math::toIntExact).toList();
        return new Latents(
            kept.tensor(LATENTS).floats(), shape.get(0), shape.get(1), shape.get(2), shape.get(3));
      }
    }
    Latents made = generate(request(content, trajectory), "uncached " + trajectory.name());
    SafetensorsWriter.write(
        file,
        Map.of(
            LATENTS,
            SafetensorsWriter.Floats.of(
                made.values(), made.count(), made.channels(), made.height(), made.width())));
    return made;
  }

  /** Seconds that a picture takes uncached, by one batch of them. */
  double seconds(Trajectory trajectory) {
    int some = Math.min(settings.batch(), settings.count());
    Content few = settings.subject().content(pipeline, some);
    pipeline.generate(request(few, trajectory.withSteps(2)));
    long start = System.nanoTime();
    pipeline.generate(request(few, trajectory));
    return (System.nanoTime() - start) / 1e9 / some;
  }

  private Request request(Content shown, Trajectory trajectory) {
    return request(shown).withSampler(trajectory.sampler()).withSteps(trajectory.steps());
  }

  private Request request(Content shown) {
    return Request.of(shown).withGuidance(settings.guidance()).withSeed(settings.seed());
  }

  /** Generates, and says every half minute how far it is. */
  private Latents generate(Request request, String what) {
    long[] next = {System.nanoTime() + 30_000_000_000L};
    return pipeline
        .generate(
            request,
            step -> {
              if (System.nanoTime() > next[0]) {
                progress.printf("  %s: %d of %d%n", what, step.firstPicture(), settings.count());
                next[0] = System.nanoTime() + 30_000_000_000L;
              }
              return true;
            })
        .latents();
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
