package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.metrics.Metrics;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Program;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Statistics;
import io.harmonica.sampler.Sampler;
import io.harmonica.triton.ServerOptions;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Generates pictures with a model of a repository, or of Triton servers. This is the Java API for
 * services.
 *
 * <pre>{@code
 * try (Pipeline pipeline = Pipeline.open(Path.of("model_repository"), "shapes-dit")) {
 *   Result result = pipeline.generate(Request.of(List.of(3, 4)).withRouter("taylor-2"));
 *   List<BufferedImage> pictures = Pictures.of(pipeline.decode(result.latents()));
 * }
 * }</pre>
 *
 * <p>Owns its runtime, which {@link #close} closes. Every method may be called by several threads
 * at once, but {@code close}: first let what is under way end. Nothing of a pipeline changes after
 * it opened; {@link #builder} has its options.
 */
public final class Pipeline implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Pipeline.class);

  /** From this time to a server and back on, several steps go in one request. */
  private static final long FAR_NANOS = 1_000_000;

  private final Runtime runtime;
  private final Manifest manifest;
  private final TextEmbedder texts;
  private final Plans plans;
  private final Admission admission;
  private final Trajectories runs;
  private final Metrics metrics;
  private final Counting counting;
  private final Optional<Gathering> gathering; // empty: each request by itself
  private final ExecutorService waiting = Executors.newCachedThreadPool(Pipeline::daemon);
  private final OptionalInt stepsPerRequest; // empty: by the distance
  private final boolean takesTokens; // a server embeds them with the picture
  private final Set<String> stepByStep = ConcurrentHashMap.newKeySet(); // routers, said of

  /** Takes over a runtime; {@link PipelineBuilder#open} has checked the rest. */
  Pipeline(
      Runtime runtime,
      ModelConfig base,
      Metrics metrics,
      OptionalInt stepsPerRequest,
      boolean whole,
      int most,
      Duration wait) {
    this.runtime = runtime;
    this.manifest = Manifest.of(base);
    this.metrics = metrics;
    this.stepsPerRequest = stepsPerRequest;
    this.texts = new TextEmbedder(runtime, manifest);
    this.plans = new Plans(runtime);
    this.takesTokens = whole && manifest.text() != null && manifest.text().encoder() != null;
    this.admission =
        new Admission(manifest, texts.isThere(), takesTokens, TimestepInput.takesWhole(base));
    this.runs = new Trajectories(runtime, manifest, admission, plans, metrics, whole);
    this.counting = new Counting(metrics, manifest.model(), runtime);
    this.gathering =
        most == 1
            ? Optional.empty()
            : Optional.of(new Gathering(manifest, most, wait.toNanos(), this::draw));
  }

  /** Begins a pipeline for a model: name a place where it runs, and what else, then open it. */
  public static PipelineBuilder builder(String model) {
    return new PipelineBuilder(model);
  }

  /** Runs a repository in this process, without a server. */
  public static Pipeline open(Path repository, String model) {
    return builder(model).repository(repository).open();
  }

  /**
   * Uses Triton servers, one or several that serve the same.
   *
   * @param addresses {@code host:port} of its gRPC service, or several with commas between them
   */
  public static Pipeline connect(String addresses, String model) {
    return builder(model).triton(addresses).open();
  }

  /** Uses Triton servers, with deadlines, encryption and so on of one's own. */
  public static Pipeline connect(String addresses, String model, ServerOptions options) {
    return builder(model).triton(addresses, options).open();
  }

  /** Takes over a runtime, and closes it, where this fails too. */
  public static Pipeline over(Runtime runtime, String model) {
    return builder(model).runtime(runtime).open();
  }

  private boolean sendsSeveralSteps() {
    return stepsPerRequest.isPresent()
        ? stepsPerRequest.getAsInt() > 1
        : manifest.stepsPerRequest() > 1 && runtime.roundTripNanos() >= FAR_NANOS;
  }

  /** Resolves a request, and says once of a router that it goes step by step against the wish. */
  private Admitted admit(Request request) {
    requireOneStep(request.style());
    Admitted admitted = admission.admit(request, sendsSeveralSteps());
    String router = admitted.router().map(Router::name).orElse(Request.NO_ROUTER);
    int asked = stepsPerRequest.orElse(1);
    Program program = admitted.program();
    if (asked > 1
        && program.steps() >= asked
        && program.calls().stream().noneMatch(Program.Call::isStretch)
        && stepByStep.add(router)) {
      LOG.warn(
          "model {} with router {} goes step by step, not {} steps in a request: no engine makes the steps of its sampler",
          manifest.model(),
          router,
          asked);
    }
    return admitted;
  }

  /** Skip-layer guidance takes a pass between the steps, which no request of several has. */
  private void requireOneStep(Style style) {
    int asked = stepsPerRequest.orElse(1);
    if (asked > 1 && style.skipLayerGuidance().isPresent()) {
      throw new HarmonicaException(
          "`skipLayerGuidance` takes a pass of its own beside a step's, and `stepsPerRequest` %d several steps in one request: use `stepsPerRequest` 1, or leave it out"
              .formatted(asked));
    }
  }

  /** What the model is: its sizes, routers and defaults, as its repository states them. */
  public Manifest manifest() {
    return manifest;
  }

  /** What computes, with its version, for reports. */
  public String description() {
    return runtime.description();
  }

  /** What the runtime has done so far, for this pipeline and for others on it. */
  public Statistics statistics() {
    return runtime.statistics();
  }

  /**
   * The models that requests of a style would run, by name, and what each is there for: its
   * ensembles and their engines.
   *
   * @throws HarmonicaException if the style does not fit the model, or one is missing
   */
  public Map<String, Role> roles(Style style) {
    Map<String, Role> roles = new HashMap<>();
    runs.models(admission.admit(style, sendsSeveralSteps()), style)
        .forEach(ensemble -> Role.addTo(roles, ensemble, runtime::config));
    return roles;
  }

  /**
   * Texts as the model takes them, embedded by its own text encoder; one that this pipeline has
   * embedded lately is not embedded again.
   *
   * @param positive what to draw, a text a picture
   * @param negative what guidance leads away from; an empty text will do
   * @param warnings told of each text that is too long, with what was dropped of it
   * @throws HarmonicaException if the model has no text encoder
   */
  public Content.Texts prompts(List<String> positive, String negative, Consumer<String> warnings) {
    return embed(positive.stream().map(Prompt::of).toList(), Prompt.of(negative), warnings);
  }

  /**
   * The same with a text of its own for each text encoder.
   *
   * @param negative what guidance leads away from, the same for all
   */
  public Content.Texts embed(List<Prompt> positive, Prompt negative, Consumer<String> warnings) {
    return texts.embedded(positive, negative, warnings);
  }

  /**
   * Texts as requests of this pipeline have them: embedded as by {@link #embed}, or where all steps
   * go in one request and the server embeds them itself, as tokens.
   *
   * @param positive what to draw, a text a picture
   * @param negative what guidance leads away from, the same for all
   * @param warnings told of each text that is too long, with what was dropped of it
   */
  public Content texts(List<Prompt> positive, Prompt negative, Consumer<String> warnings) {
    return takesTokens
        ? texts.tokenized(positive, negative, warnings)
        : texts.embedded(positive, negative, warnings);
  }

  /**
   * Refuses a request that could not run, as {@link #generate} would, without running it.
   *
   * @throws HarmonicaException if the request does not fit the model
   */
  public void check(Request request) {
    runs.of(request, admit(request), step -> true).close();
  }

  /**
   * Generates a picture for each class or text, as many at a time as the model's batch takes, and
   * returns when all are done.
   *
   * @throws HarmonicaException if the request does not fit the model, or the runtime fails
   */
  public Result generate(Request request) {
    return generate(request, step -> true);
  }

  /**
   * The same, with somebody who follows the steps, and may cancel.
   *
   * @throws CancellationException if the listener cancels
   * @throws HarmonicaException if the request does not fit the model, or the runtime fails
   */
  public Result generate(Request request, StepListener listener) {
    if (gathering.isPresent()) {
      return Flight.await(generateAsync(request, listener, waiting));
    }
    long start = System.nanoTime();
    try (Drawing run = runs.of(request, admit(request), listener)) {
      while (run.hasNext()) {
        run.next().run();
        run.take();
      }
      Result result = run.result();
      count(request, start, null);
      return result;
    } catch (RuntimeException | Error e) {
      count(request, start, e);
      throw e;
    }
  }

  /**
   * The same without a thread that waits for the server: between calls a generation holds no
   * thread, only memory, so many may be in flight ({@link InFlight} keeps their number). On a
   * runtime in this process the work is done by the executor's threads.
   *
   * @param executor for the work between the calls
   * @return completed with what {@link #generate} returns or throws; cancelling it cancels the call
   *     on the server
   */
  public CompletableFuture<Result> generateAsync(Request request, Executor executor) {
    return generateAsync(request, step -> true, executor);
  }

  /**
   * The same, with somebody who follows the steps on the executor's threads, and may cancel: the
   * future then is cancelled.
   */
  public CompletableFuture<Result> generateAsync(
      Request request, StepListener listener, Executor executor) {
    long start = System.nanoTime();
    try {
      if (gathering.isPresent() && gathering.get().takes(request) && !addsNoise(request.style())) {
        return gathered(request, listener, executor, fault -> count(request, start, fault));
      }
    } catch (RuntimeException e) {
      count(request, start, e);
      return CompletableFuture.failedFuture(e);
    }
    return Flight.begin(
        () -> runs.of(request, admit(request), listener),
        executor,
        fault -> count(request, start, fault));
  }

  private CompletableFuture<Result> gathered(
      Request request, StepListener listener, Executor executor, Consumer<Throwable> ended) {
    admit(request); // or refuses
    Gathered member = Gathered.of(request, runs.noise(request), listener, executor, ended);
    gathering.orElseThrow().add(member);
    return member.result();
  }

  /** Draws requests that count themselves. */
  private CompletableFuture<Result> draw(
      Request request, StepListener listener, Executor executor) {
    return Flight.begin(() -> runs.of(request, admit(request), listener), executor, fault -> {});
  }

  private static Thread daemon(Runnable work) {
    Thread thread = new Thread(work, "harmonica");
    thread.setDaemon(true);
    return thread;
  }

  private void count(Request request, long startNanos, Throwable fault) {
    Metrics.Outcome outcome = Counting.outcome(fault);
    if (outcome == Metrics.Outcome.FAILED) {
      plans.forget();
    }
    counting.request(named(request), startNanos, outcome);
  }

  /** With its router's own name, as far as there is one. */
  private Request named(Request request) {
    try {
      return request.withRouter(admission.name(request.style()));
    } catch (HarmonicaException e) {
      return request;
    }
  }

  /** Whether finished samples become pictures here: it works on pixels, or has a decoder. */
  public boolean drawsPictures() {
    return manifest.decoder() != null || Pictures.arePixels(manifest.channels());
  }

  /**
   * The pixels of finished samples, about -1..1: what {@link Pictures} takes. A model that works on
   * pixels leaves them as they are; another has its decoder make them.
   *
   * @throws HarmonicaException if the model has no decoder and needs one
   */
  public Latents decode(Latents latents) {
    runs.requireFits(latents);
    long start = System.nanoTime();
    Latents pixels = new Decoding(runtime, manifest).pixels(latents);
    metrics.latency(manifest.model(), Metrics.Part.DECODE, System.nanoTime() - start);
    return pixels;
  }

  /**
   * A router of this model by its name.
   *
   * @throws HarmonicaException if it has none of that name
   */
  public Router router(String name) {
    return admission.router(name);
  }

  /**
   * The router that a style names, itself or by its tier; none computes everything.
   *
   * @throws HarmonicaException if the model has none such
   */
  public Optional<Router> router(Style style) {
    String name = admission.name(style);
    return name.equals(Request.NO_ROUTER) ? Optional.empty() : Optional.of(router(name));
  }

  /**
   * Whether the style's sampler draws fresh noise; if not, the seed has no effect once latents are
   * given.
   *
   * @throws HarmonicaException if the style does not fit the model
   */
  public boolean addsNoise(Style style) {
    Sampler sampler = admission.sampler(style);
    return IntStream.range(0, sampler.timesteps().size()).anyMatch(sampler::needsNoise);
  }

  /**
   * The scale of guidance that a style runs with: its own, else the model's.
   *
   * @throws HarmonicaException if it leads away from a null class, and the model has none
   */
  public double guidanceScale(Style style) {
    return admission.guidanceScale(style);
  }

  /** Rows that the model sees for each picture of a style: guidance mostly takes two. */
  public int rows(Style style) {
    return admission.guidance(style).rows();
  }

  /** Closes the runtime: no other method may be called then, or be under way. */
  @Override
  public void close() {
    waiting.shutdown();
    texts.close();
    runtime.close();
  }
}
