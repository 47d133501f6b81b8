package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Program;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.IntStream;

/**
 * Holds requests against a model: refuses those that do not fit, in one line, and resolves the
 * others to what their trajectories follow. Routers and programs that were asked for are kept.
 */
final class Admission {
  private final Manifest manifest;
  private final boolean embedsTexts;
  private final Map<String, Router> routers = new ConcurrentHashMap<>();
  private final Map<Key, Program> programs = new ConcurrentHashMap<>();

  private record Key(String router, int steps, int size) {}

  /**
   * Of a model.
   *
   * @param embedsTexts whether it has a text encoder, for what a message advises
   */
  Admission(Manifest manifest, boolean embedsTexts) {
    this.manifest = manifest;
    this.embedsTexts = embedsTexts;
  }

  /**
   * What the trajectories of a request follow.
   *
   * @param several whether several steps may go in one request
   * @throws HarmonicaException if the request does not fit the model
   */
  Admitted admit(Request request, boolean several) {
    requireSubjects(request);
    Optional<Router> router = router(request);
    Sampler sampler = sampler(request, router);
    Guidance guidance = guidance(request);
    if (manifest.maxBatch() < (guidance.doublesBatch() ? 2 : 1)) {
      throw new HarmonicaException(
          "model %s takes batches of 1, and guidance %s needs 2: export it with --max-batch 2 or more, or use --guidance 1"
              .formatted(manifest.model(), guidance.scale()));
    }
    return new Admitted(manifest, router, program(router, sampler, several), sampler, guidance);
  }

  private Program program(Optional<Router> router, Sampler sampler, boolean several) {
    if (several && manifest.stepsPerRequest() > 1) {
      Program program = program(router, sampler, manifest.stepsPerRequest());
      if (program.calls().stream().allMatch(call -> isNumbers(sampler, call))) {
        return program;
      }
    }
    return program(router, sampler, 1);
  }

  /** Whether the steps of a call are numbers, which the sampler's engine takes. */
  private static boolean isNumbers(Sampler sampler, Program.Call call) {
    return !call.isStretch()
        || IntStream.rangeClosed(call.first(), call.last())
            .allMatch(step -> sampler.update(step).isPresent());
  }

  private Program program(Optional<Router> router, Sampler sampler, int size) {
    int steps = sampler.timesteps().size();
    String name = router.map(Router::name).orElse(Request.NO_ROUTER);
    return programs.computeIfAbsent(
        new Key(name, steps, size),
        key ->
            router.isEmpty()
                ? Program.uncached(manifest.model(), steps, size)
                : manifest
                    .program(name, size)
                    .orElseGet(() -> manifest.program(name, 1).orElseThrow()));
  }

  /** The sampler that a request steps with. */
  Sampler sampler(Request request) {
    return sampler(request, router(request));
  }

  private Sampler sampler(Request request, Optional<Router> router) {
    return router
        .map(some -> sampler(request, some.sampler(), some.steps()))
        .orElseGet(
            () ->
                sampler(
                    request,
                    request.sampler().orElse(manifest.sampler()),
                    request.steps().orElse(Request.DEFAULT_STEPS)));
  }

  /** A router of this model by its name. */
  Router router(String name) {
    if (!manifest.routers().containsKey(name)) {
      throw new HarmonicaException(
          "model %s has no router '%s', it has %s: name one of these, or export it with --router"
              .formatted(
                  manifest.model(),
                  name,
                  manifest.routers().isEmpty()
                      ? "none"
                      : String.join(", ", manifest.routers().keySet())));
    }
    return routers.computeIfAbsent(
        name,
        found ->
            Router.parse(
                manifest.routers().get(found).toString(),
                "router " + found + " of model " + manifest.model()));
  }

  private Optional<Router> router(Request request) {
    if (request.router().equals(Request.NO_ROUTER)) {
      return Optional.empty();
    }
    Router router = router(request.router());
    router.requireFits(manifest.architecture(), manifest.branches());
    String asked = request.sampler().orElse(router.sampler());
    if (!router.sampler().equals(asked)) {
      throw new HarmonicaException(
          "router %s was made for sampler %s, not %s: use --sampler %s, or another router"
              .formatted(router.name(), router.sampler(), asked, router.sampler()));
    }
    if (!Sampler.NAMES.contains(router.sampler())) {
      throw new HarmonicaException(
          "router %s was made for sampler %s, which is none of %s: use another router"
              .formatted(router.name(), router.sampler(), String.join(", ", Sampler.NAMES)));
    }
    if (request.steps().isPresent() && request.steps().getAsInt() != router.steps()) {
      throw new HarmonicaException(
          "router %s is for %d steps, not %d: use --steps %d, or another router"
              .formatted(
                  router.name(), router.steps(), request.steps().getAsInt(), router.steps()));
    }
    List<Integer> timesteps = sampler(request, router.sampler(), router.steps()).timesteps();
    if (!timesteps.equals(router.timesteps())) {
      throw new HarmonicaException(
          "router %s is for timesteps %s, and %s spacing gives %s: use the --spacing it was made with"
              .formatted(
                  router.name(),
                  router.timesteps(),
                  spacing(request, router.sampler()),
                  timesteps));
    }
    return Optional.of(router);
  }

  private Sampler sampler(Request request, String name, int steps) {
    Sampler sampler = manifest.sampling().sampler(name, steps, request.spacing());
    return request.eta().isPresent() ? sampler.withEta(request.eta().getAsDouble()) : sampler;
  }

  private Spacing spacing(Request request, String sampler) {
    return request.spacing().orElseGet(() -> manifest.sampling().spacing(sampler));
  }

  /**
   * The scale of guidance that a request runs with: its own, else the model's.
   *
   * @throws HarmonicaException if it leads away from a null class, and the model has none
   */
  double guidanceScale(Request request) {
    double scale = request.guidance().orElse(manifest.unconditional().defaultGuidance());
    manifest.unconditional().requireGuides(scale, manifest.model());
    return scale;
  }

  private Guidance guidance(Request request) {
    int channels = request.guidanceChannels().orElse(manifest.guidanceChannels());
    if (channels < 1 || channels > manifest.channels()) {
      throw new HarmonicaException(
          "--guidance-channels %d is out of range: model %s has %d channels"
              .formatted(channels, manifest.model(), manifest.channels()));
    }
    return new Guidance(guidanceScale(request), channels, manifest.text() == null);
  }

  private void requireSubjects(Request request) {
    boolean takesTexts = manifest.text() != null;
    if (takesTexts != request.prompts().isPresent()) {
      throw new HarmonicaException(
          takesTexts
              ? "model %s takes texts, not classes: use %s"
                  .formatted(manifest.model(), embedsTexts ? "--prompt" : "--text-embeddings")
              : "model %s takes classes 0..%d, not texts: use --classes"
                  .formatted(manifest.model(), manifest.classes() - 1));
    }
    if (takesTexts) {
      requireFits(request.prompts().get(), guidanceScale(request));
    }
    for (int label : request.classes()) {
      if (label < 0 || label >= manifest.classes()) {
        throw new HarmonicaException(
            "unknown class %d: model %s has classes 0..%d"
                .formatted(label, manifest.model(), manifest.classes() - 1));
      }
    }
  }

  private void requireFits(Prompts prompts, double guidance) {
    if (prompts.positive().width() != manifest.text().width()) {
      throw new HarmonicaException(
          "texts are embedded %d wide, model %s takes %d: embed them with the text encoder that it was trained with"
              .formatted(prompts.positive().width(), manifest.model(), manifest.text().width()));
    }
    if (guidance > 1 && prompts.negative().isEmpty()) {
      throw new HarmonicaException(
          "guidance %s needs a negative text (an empty one, embedded, will do), and there is none: add it, or use --guidance 1"
              .formatted(guidance));
    }
  }
}
