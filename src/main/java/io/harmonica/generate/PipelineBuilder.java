package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import io.harmonica.metrics.Metrics;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Backend;
import io.harmonica.runtime.Device;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.Runtime;
import io.harmonica.triton.Fleet;
import io.harmonica.triton.ServerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.function.Supplier;

/**
 * Says where a {@link Pipeline} runs its model, and how, before it opens; afterwards nothing is set
 * any more.
 *
 * <pre>{@code
 * Pipeline pipeline =
 *     Pipeline.builder("shapes-dit")
 *         .triton("a:8001,b:8001")
 *         .metrics(new Metrics(registry))
 *         .stepsPerRequest(5)
 *         .open();
 * }</pre>
 *
 * <p>A builder is for one thread and one pipeline; the pipeline is for many threads.
 */
public final class PipelineBuilder {
  private final String model;
  private Supplier<Runtime> place; // null until one is named, and once it was opened
  private boolean isHere; // whether the place is a repository in this process
  private Device device = Device.CPU;
  private Metrics metrics = Metrics.NONE;
  private OptionalInt stepsPerRequest = OptionalInt.empty(); // by the distance
  private boolean whole;
  private int most = 1; // pictures of several requests at a time
  private Duration wait = Duration.ZERO;

  PipelineBuilder(String model) {
    this.model = model;
  }

  /** Runs a repository in this process, without a server. */
  public PipelineBuilder repository(Path folder) {
    isHere = true;
    return place(() -> EmbeddedRuntime.open(folder, Backend.of(device)));
  }

  /**
   * Says what computes in this process, for a {@link #repository}; without it the CPU does, by ONNX
   * Runtime's own kernels. Threads are {@link EmbeddedRuntime#useThreads}'s.
   *
   * @param name such as {@code openvino}, or {@code openvino,precision=f32}: as {@link
   *     Device#parse} reads it
   * @throws HarmonicaException if there is no such device by that name
   */
  public PipelineBuilder device(String name) {
    return device(Device.parse(name));
  }

  /** The same, read already. */
  public PipelineBuilder device(Device chosen) {
    device = chosen;
    return this;
  }

  /**
   * Uses Triton servers, one or several that serve the same.
   *
   * @param addresses {@code host:port} of its gRPC service, or several with commas between them
   */
  public PipelineBuilder triton(String addresses) {
    return triton(addresses, ServerOptions.DEFAULTS);
  }

  /** Uses Triton servers, with deadlines, encryption and so on of one's own. */
  public PipelineBuilder triton(String addresses, ServerOptions options) {
    return place(() -> Fleet.connect(addresses, options));
  }

  /**
   * Uses a runtime of the caller's. {@link #open} takes it over: the pipeline closes it, or {@code
   * open} itself where it fails.
   */
  public PipelineBuilder runtime(Runtime own) {
    return place(() -> own);
  }

  private PipelineBuilder place(Supplier<Runtime> named) {
    if (place != null) {
      throw new IllegalStateException(
          "model %s has a place to run already: name one of repository, triton and runtime"
              .formatted(model));
    }
    place = named;
    return this;
  }

  /** Counts in these meters; their registry stays the caller's. Without them nothing is counted. */
  public PipelineBuilder metrics(Metrics meters) {
    metrics = meters;
    return this;
  }

  /**
   * Has so many steps go in one request: 1, or what the model was exported with, which {@link
   * #open} sees to. Without it that is decided by the time to the server and back. Requests whose
   * sampler no engine steps go step by step all the same, and the log says so once.
   */
  public PipelineBuilder stepsPerRequest(int steps) {
    stepsPerRequest = OptionalInt.of(steps);
    return this;
  }

  /**
   * Has all steps go in one request, where the model was exported with {@code picture} for the
   * router of the request, or was given it by deployment: nobody follows them or cancels in the
   * middle then, and a picture whose server fails begins anew. Only how the router was made can be
   * drawn. Texts of a model with one text encoder go as tokens: {@link Pipeline#texts} makes them.
   */
  public PipelineBuilder whole() {
    whole = true;
    return this;
  }

  /**
   * Has requests that come within a moment and are drawn alike, with one router, steps, sampler and
   * guidance, go as one trajectory: a pass over several pictures costs less than one for each. Each
   * request keeps its noise, listener, cancellation and failure, and its picture but for rounding,
   * about 1e-6. Samplers with fresh noise go each by itself. What {@link Result} says of the time
   * in the runtime and of cached bytes is the whole trajectory's.
   *
   * @param pictures at most that go together; no more than half the model's largest batch is of use
   *     with guidance
   * @param longest that a request waits for others
   */
  public PipelineBuilder batching(int pictures, Duration longest) {
    if (pictures < 1) {
      throw new InvalidProperty("batching", "%d must be 1 or more".formatted(pictures));
    }
    if (longest.isNegative()) {
      throw new InvalidProperty("batching", "%s must not be negative".formatted(longest));
    }
    most = pictures;
    wait = longest;
    return this;
  }

  /**
   * Opens the repository, or connects, and reads what the model is.
   *
   * @throws HarmonicaException if that fails, or the model has no ensembles for so many steps in
   *     one request
   */
  public Pipeline open() {
    if (place == null) {
      throw new IllegalStateException(
          "model %s has no place to run: name a repository, triton or a runtime, for each pipeline"
              .formatted(model));
    }
    if (whole && stepsPerRequest.isPresent()) {
      throw new IllegalStateException(
          "model %s has all steps in one request: leave `stepsPerRequest` or `whole` out"
              .formatted(model));
    }
    if (!isHere && !device.equals(Device.CPU)) {
      throw new IllegalStateException(
          "device %s has no effect for model %s: it is for a repository in this process"
              .formatted(device, model));
    }
    Runtime runtime = place.get();
    place = null; // a runtime has one owner
    try {
      ModelConfig base = runtime.config(model);
      Pipeline pipeline = new Pipeline(runtime, base, metrics, stepsPerRequest, whole, most, wait);
      stepsPerRequest.ifPresent(steps -> requireExported(pipeline.manifest(), steps));
      return pipeline;
    } catch (RuntimeException e) {
      runtime.close();
      throw e;
    }
  }

  private static void requireExported(Manifest manifest, int steps) {
    int exported = manifest.stepsPerRequest();
    if (steps != 1 && steps != exported) {
      throw new HarmonicaException(
          "model %s has ensembles for %s, not for %d steps in one request: export it with harmonica-export `stepsPerRequest` %d"
              .formatted(
                  manifest.model(),
                  exported == 1 ? "single steps only" : "1 or " + exported,
                  steps,
                  steps));
    }
  }
}
