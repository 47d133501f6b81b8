package io.harmonica.compare;

import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import java.util.function.IntFunction;

/**
 * A variant that generates with a pipeline; it does not own it.
 *
 * @param requests what to generate in a round
 */
public record Generation(String name, Pipeline pipeline, IntFunction<Request> requests)
    implements Variant {

  @Override
  public Run run(int round) {
    Result result = pipeline.generate(requests.apply(round));
    return new Run(result.elapsedNanos(), result.latents());
  }
}
