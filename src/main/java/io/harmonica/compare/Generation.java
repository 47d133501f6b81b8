package io.harmonica.compare;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.generate.Style;
import io.harmonica.runtime.Statistics;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * A variant that generates with a pipeline; it does not own it.
 *
 * @param style of its requests
 * @param contents of the subjects, as this pipeline has them; empty for a model that takes classes
 * @param batch pictures of one request
 * @param stop true ends requests under way with a CancellationException
 */
record Generation(
    String name,
    Pipeline pipeline,
    Style style,
    Subjects subjects,
    Optional<Content> contents,
    int batch,
    BooleanSupplier stop)
    implements Variant {

  @Override
  public int requests() {
    return (subjects.perRound() + batch - 1) / batch;
  }

  /** Refuses what could not run, of any picture, before anything is measured. */
  void check() {
    try {
      pipeline.check(pictures(0, subjects.classes().size()));
    } catch (HarmonicaException e) {
      throw new HarmonicaException("variant '%s': %s".formatted(name, e.getMessage()), e);
    }
  }

  private Request pictures(int first, int count) {
    List<Integer> classes =
        IntStream.range(first, first + count).map(subjects::label).boxed().toList();
    Content content = contents.map(all -> all.select(classes)).orElseGet(() -> Content.of(classes));
    Request request = Request.of(content).withStyle(style).withSeed(subjects.seed() + first);
    return subjects.starts(first, count).map(request::withLatents).orElse(request);
  }

  @Override
  public Sample request(int round, int index) {
    int from = index * batch;
    int count = Math.min(batch, subjects.perRound() - from);
    Request request = pictures(round * subjects.perRound() + from, count);
    AtomicInteger passes = new AtomicInteger();
    Result result =
        pipeline.generate(
            request,
            step -> {
              passes.set(step.steps());
              return !stop.getAsBoolean();
            });
    return new Sample(
        result.latents(),
        result.elapsedNanos(),
        result.runtimeNanos(),
        result.peakCacheBytes(),
        passes.get());
  }

  @Override
  public Statistics statistics() {
    return pipeline.statistics();
  }
}
