package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.model.Shows;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Program;
import io.harmonica.router.Router;
import io.harmonica.router.Tiers;
import io.harmonica.sampler.Guidance;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.SkipLayerGuidance;
import io.harmonica.sampler.Spacing;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Holds requests against a model: refuses those that do not fit, in one line, and resolves the
 * others to what their trajectories follow. Routers and programs that were asked for are kept.
 */
final class Admission {
  private final Manifest manifest;
  private final boolean embedsTexts;
  private final boolean takesTokens;
  private final boolean wholeTimesteps;
  private final Map<String, Router> routers = new ConcurrentHashMap<>();
  private final Map<String, List<String>> tiers = new TreeMap<>(); // the routers of each
  private final Map<Key, Program> programs = new ConcurrentHashMap<>();

  private record Key(String router, int steps, int size) {}

  /**
   * Of a model.
   *
   * @param embedsTexts whether it has a text encoder, for what a message advises
   * @param takesTokens whether it embeds texts itself, in the requests
   * @param wholeTimesteps whether it takes timesteps as int64, else as fp32
   */
  Admission(Manifest manifest, boolean embedsTexts, boolean takesTokens, boolean wholeTimesteps) {
    this.manifest = manifest;
    this.embedsTexts = embedsTexts;
    this.takesTokens = takesTokens;
    this.wholeTimesteps = wholeTimesteps;
    manifest
        .routers()
        .forEach(
            (name, router) ->
                Tiers.of(router.path("training"))
                    .ifPresent(
                        tier -> tiers.computeIfAbsent(tier, t -> new ArrayList<>()).add(name)));
  }

  /**
   * What the trajectories of a request follow.
   *
   * @param several whether several steps may go in one request
   * @throws HarmonicaException if the request does not fit the model
   */
  Admitted admit(Request request, boolean several) {
    requireShows(request.content(), request.style());
    return admit(request.style(), several);
  }

  /**
   * What the trajectories of requests of a style follow, whatever they show.
   *
   * @param several whether several steps may go in one request
   * @throws HarmonicaException if the style does not fit the model
   */
  Admitted admit(Style style, boolean several) {
    Optional<Router> router = router(style);
    Sampler sampler = sampler(style, router);
    Guidance guidance = guidance(style);
    if (manifest.maxBatch() < guidance.rows()) {
      throw new HarmonicaException(
          "model %s takes batches of 1, and guidance %s needs 2: export it with `maxBatch` 2 or more, or use %s"
              .formatted(manifest.model(), guidance.scale(), without(style)));
    }
    TimestepInput.requireTaken(manifest.model(), wholeTimesteps, sampler.timesteps());
    Optional<SkipLayerGuidance> skipping = style.skipLayerGuidance();
    skipping.ifPresent(some -> requireSkips(some, sampler));
    Program program = program(router, sampler, several && skipping.isEmpty());
    return new Admitted(manifest, router, program, sampler, guidance, skipping, wholeTimesteps);
  }

  /** Refuses skip-layer guidance of another model, and where it would do nothing. */
  private void requireSkips(SkipLayerGuidance skipping, Sampler sampler) {
    if (manifest.skipLayers() == null) {
      throw new HarmonicaException(
          "model %s has no pass without blocks for `skipLayerGuidance`: leave it out, or export Stable Diffusion 3 with `skipLayers`, of 3.5-medium 7,8,9"
              .formatted(manifest.model()));
    }
    int steps = sampler.timesteps().size();
    if (IntStream.range(0, steps).noneMatch(step -> skipping.actsAt(step, steps))) {
      throw new HarmonicaException(
          "`skipLayerGuidance` from %s to %s acts at none of %d steps (k from 0, %.2f < k < %.2f): take more steps, or a wider range"
              .formatted(
                  skipping.start(),
                  skipping.stop(),
                  steps,
                  steps * skipping.start(),
                  steps * skipping.stop()));
    }
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
  private boolean isNumbers(Sampler sampler, Program.Call call) {
    return !call.isStretch()
        || IntStream.rangeClosed(call.first(), call.last())
            .allMatch(step -> manifest.steps().numbers(sampler, step).isPresent());
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
                    .or(() -> manifest.program(name, 1))
                    .orElseThrow(() -> noProgram(name)));
  }

  private HarmonicaException noProgram(String router) {
    return new HarmonicaException(
        HarmonicaException.Kind.MODEL,
        "model %s has router '%s', but no program for it: export the model again"
            .formatted(manifest.model(), router));
  }

  /** The sampler that requests of a style step with. */
  Sampler sampler(Style style) {
    return sampler(style, router(style));
  }

  private Sampler sampler(Style style, Optional<Router> router) {
    return router
        .map(some -> sampler(style, some.sampler(), some.steps()))
        .orElseGet(
            () ->
                sampler(
                    style,
                    style.sampler().orElse(manifest.sampler()),
                    style.steps().orElse(Request.DEFAULT_STEPS)));
  }

  /** A router of this model by its name. */
  Router router(String name) {
    if (!manifest.routers().containsKey(name)) {
      throw new HarmonicaException(
          "model %s has no router '%s', it has %s: name one of these, or export it with `router`"
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

  /** The name of a style's router, which may be stated by its tier. */
  String name(Style style) {
    Optional<String> tier = Tiers.named(style.router());
    return tier.isEmpty() ? style.router() : ofTier(tier.get(), style);
  }

  private String ofTier(String tier, Style style) {
    List<String> all = tiers.getOrDefault(tier, List.of());
    if (all.isEmpty()) {
      throw new HarmonicaException(
          "model %s has no router of `tier` '%s', it has %s: name one of these, or a `router`"
              .formatted(
                  manifest.model(),
                  tier,
                  tiers.isEmpty() ? "no tiers" : String.join(", ", tiers.keySet())));
    }
    List<String> fitting =
        all.stream()
            .filter(
                name -> style.steps().isEmpty() || router(name).steps() == style.steps().getAsInt())
            .filter(name -> style.sampler().map(router(name).sampler()::equals).orElse(true))
            .toList();
    if (fitting.size() != 1) {
      throw new HarmonicaException(
          "model %s has %s of `tier` '%s' for such steps and sampler, of %s: state `steps`, or name a `router`"
              .formatted(
                  manifest.model(),
                  fitting.isEmpty() ? "no router" : "several routers",
                  tier,
                  all.stream()
                      .map(name -> "%s (%d steps)".formatted(name, router(name).steps()))
                      .collect(Collectors.joining(", "))));
    }
    return fitting.get(0);
  }

  private Optional<Router> router(Style style) {
    if (style.router().equals(Request.NO_ROUTER)) {
      return Optional.empty();
    }
    Router router = router(name(style));
    router.requireFits(manifest.architecture(), manifest.branches());
    String asked = style.sampler().orElse(router.sampler());
    if (!router.sampler().equals(asked)) {
      throw new HarmonicaException(
          "router %s was made for sampler %s, not %s: use `sampler` %s, or another router"
              .formatted(router.name(), router.sampler(), asked, router.sampler()));
    }
    if (!Sampler.NAMES.contains(router.sampler())) {
      throw new HarmonicaException(
          "router %s was made for sampler %s, which is none of %s: use another router"
              .formatted(router.name(), router.sampler(), String.join(", ", Sampler.NAMES)));
    }
    if (style.steps().isPresent() && style.steps().getAsInt() != router.steps()) {
      throw new HarmonicaException(
          "router %s is for %d steps, not %d: use `steps` %d, or another router"
              .formatted(router.name(), router.steps(), style.steps().getAsInt(), router.steps()));
    }
    Timesteps timesteps = sampler(style, router.sampler(), router.steps()).timesteps();
    if (!timesteps.equals(router.timesteps())) {
      throw new HarmonicaException(
          "router %s is for timesteps %s, and %s spacing gives %s: use the `spacing` it was made with"
              .formatted(
                  router.name(), router.timesteps(), spacing(style, router.sampler()), timesteps));
    }
    return Optional.of(router);
  }

  private Sampler sampler(Style style, String name, int steps) {
    Sampler sampler = manifest.sampling().sampler(name, steps, style.spacing());
    return style.eta().isPresent() ? sampler.withEta(style.eta().getAsDouble()) : sampler;
  }

  private Spacing spacing(Style style, String sampler) {
    return style.spacing().orElseGet(() -> manifest.sampling().spacing(sampler));
  }

  /**
   * The scale of guidance that a style runs with: its own, else the model's.
   *
   * @throws HarmonicaException if it leads away from a null class, and the model has none
   */
  double guidanceScale(Style style) {
    double scale = style.guidance().orElse(manifest.defaultGuidance());
    manifest.unconditional().requireGuides(scale, manifest.model());
    return scale;
  }

  /**
   * What guidance does to a batch; a model that is told its scale takes one row for it, and a
   * second where another acts beside that.
   */
  Guidance guidance(Style style) {
    boolean told = manifest.shows().guided();
    if (!told && style.trueCfg().isPresent()) {
      throw new HarmonicaException(
          "`trueCfg` %s is for models that are told a scale of guidance, and %s is not: its guidance is a second row already, use `guidance`"
              .formatted(style.trueCfg().getAsDouble(), manifest.model()));
    }
    if (told && style.guidanceChannels().isPresent()) {
      throw new HarmonicaException(
          "model %s is told the scale of guidance, which acts on all channels: leave `guidanceChannels` out"
              .formatted(manifest.model()));
    }
    int channels = style.guidanceChannels().orElse(manifest.guidanceChannels());
    if (channels < 1 || channels > manifest.channels()) {
      throw new HarmonicaException(
          "`guidanceChannels` %d is out of range: model %s has %d channels"
              .formatted(channels, manifest.model(), manifest.channels()));
    }
    double scale = told ? style.trueCfg().orElse(1) : guidanceScale(style);
    return new Guidance(scale, channels, manifest.text() == null);
  }

  /** What takes one row for a picture. */
  private static String without(Style style) {
    return style.trueCfg().isPresent() ? "no `trueCfg`" : "`guidance` 1";
  }

  /** Refuses content that the model does not take. */
  private void requireShows(Content content, Style style) {
    Shows shows = manifest.shows();
    if (content instanceof Content.Labels labels && shows instanceof Shows.Classes classes) {
      requireFits(labels, classes);
    } else if (content instanceof Content.Texts texts
        && shows instanceof Shows.Text takes
        && !takesTokens) {
      requireFits(texts.positive(), takes);
      texts.negative().ifPresent(negative -> requireFits(negative, takes));
      requireGuides(texts, style);
    } else if (!(content instanceof Content.Tokenized && takesTokens)
        && !(content instanceof Content.Anything && shows instanceof Shows.Anything)) {
      throw new HarmonicaException(
          "model %s takes %s, not %s: use %s"
              .formatted(manifest.model(), takes(), words(content), remedy(shows)));
    }
  }

  private String takes() {
    return takesTokens ? "texts as tokens with `whole`" : manifest.takes();
  }

  private String words(Content content) {
    if (content instanceof Content.Texts) {
      return takesTokens ? "embedded" : "texts";
    }
    return content instanceof Content.Labels
        ? "classes"
        : content instanceof Content.Tokenized ? "tokens" : "pictures of anything";
  }

  private String remedy(Shows shows) {
    return shows instanceof Shows.Text
        ? embedsTexts ? "`prompt`" : "`textEmbeddings`"
        : shows instanceof Shows.Classes ? "`classes`" : "`pictures`";
  }

  private void requireFits(Content.Labels content, Shows.Classes classes) {
    for (int label : content.labels()) {
      if (label < 0 || label >= classes.count()) {
        throw new HarmonicaException(
            "unknown class %d: model %s has classes 0..%d"
                .formatted(label, manifest.model(), classes.count() - 1));
      }
    }
  }

  private void requireFits(Embeddings texts, Shows.Text takes) {
    if (texts.width() != takes.width()) {
      throw new HarmonicaException(
          "texts are embedded %d wide, model %s takes %d: embed them with the text encoder that it was trained with"
              .formatted(texts.width(), manifest.model(), takes.width()));
    }
    if (texts.pooledWidth() != takes.pooled()) {
      throw new HarmonicaException(
          "texts have pooled embeddings of %d elements, model %s takes %d: embed them with the text encoders that it was trained with"
              .formatted(texts.pooledWidth(), manifest.model(), takes.pooled()));
    }
  }

  private void requireGuides(Content.Texts texts, Style style) {
    Guidance guidance = guidance(style);
    if (guidance.doublesBatch() && texts.negative().isEmpty()) {
      throw new HarmonicaException(
          "guidance %s needs a negative text (an empty one, embedded, will do), and there is none: add it, or use %s"
              .formatted(guidance.scale(), without(style)));
    }
  }
}
