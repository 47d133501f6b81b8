package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.calibration.Observed;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Resolution;
import io.harmonica.model.Site;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.Precision;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Model;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.origin.TextLayout;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.SamplerForm;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.sampler.Sampling;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Turns a model and its routers into a Triton model repository: engines in the variants that the
 * routers need, one ensemble for the uncached step, and one for each route.
 *
 * <p>Weights stream from the mapped checkpoint into the engines' data files, one tensor at a time.
 * Each engine has a file of its own with the weights that it reads, or by option variants of a
 * block share one by hard links.
 *
 * <p>It is its own builder: each {@code with} method changes this exporter and returns it, so all
 * of them come before {@link #dryRun} and {@link #export}. One thread at a time.
 *
 * <pre>{@code
 * new Exporter(model, List.of(router), ExportOptions.of("shapes-dit"))
 *     .withDigest(Digest.of(checkpoint))
 *     .export(Path.of("model_repository"));
 * }</pre>
 */
public final class Exporter {

  /**
   * One model of the repository.
   *
   * @param sizeBytes of its files; a data file that variants share, by hard links, counts at the
   *     first of them
   * @param repeatedBytes of them, weights that the variant which computes everything has too
   */
  public record Entry(String name, long sizeBytes, long repeatedBytes) {
    Entry(String name, long sizeBytes) {
      this(name, sizeBytes, 0);
    }
  }

  /** The steps of an ensemble, and the router that they are of. */
  private record Call(String router, Stretch stretch) {}

  private final Model model;
  private final List<Router> routers;
  private final ExportOptions options;
  private final long most; // bytes of weights of an engine
  private final Set<Engine> engines = new LinkedHashSet<>();
  private final Map<Engine, Graph> graphs = new HashMap<>();
  private final Map<String, Call> ensembles = new LinkedHashMap<>();
  private final Numbers numbers;
  private final Pieces pieces;
  private final Configs configs;
  private final Beside beside;
  private Optional<Resolution> picture = Optional.empty();
  private Sampling sampling;
  private Optional<String> digest = Optional.empty();
  private Optional<SkipLayers> skipLayers = Optional.empty();

  /**
   * Plans the export.
   *
   * @throws HarmonicaException for a router of another model, or two of one name
   */
  public Exporter(Model model, List<Router> routers, ExportOptions options) {
    this(model, routers, options, TextEngines.MOST_BYTES);
  }

  Exporter(Model model, List<Router> routers, ExportOptions options, long most) {
    this.model = model;
    this.routers = List.copyOf(routers);
    this.options = options;
    this.most = most;
    this.sampling = model.denoiser().io().sampling();
    this.numbers = Numbers.of(model, options);
    this.pieces = new Pieces(model, options.engines(), numbers, most);
    this.configs = new Configs(model.denoiser(), options, pieces, graphs::get);
    this.beside = new Beside(model.denoiser().io(), options, configs);
    List<String> branches = model.denoiser().branchNames();
    add(
        Names.NO_ROUTER,
        Program.uncachedEnsembles(options.modelName(), branches.size(), options.stepsPerRequest()));
    engines.addAll(pieces.always());
    for (Router router : routers) {
      router.requireFits(model.denoiser().architecture(), branches);
      Map<String, Stretch> own =
          Program.ensembles(
              options.modelName(),
              router.name(),
              Schedule.of(router),
              steps().size(router.sampler(), options.stepsPerRequest()));
      if (router.name().equals(Names.NO_ROUTER)
          || own.keySet().stream().anyMatch(ensembles::containsKey)) {
        throw new HarmonicaException(
            "router name '%s' is taken: give each router a name of its own, other than '%s'"
                .formatted(router.name(), Names.NO_ROUTER));
      }
      add(router.name(), own);
    }
  }

  /** Most bytes of cached outputs that a router keeps for a row; empty without routers. */
  public OptionalLong peakCacheBytes() {
    return routers.stream()
        .map(router -> Savings.of(router, model.flops(), numbers.cacheBytes(model.denoiser())))
        .flatMapToLong(savings -> savings.peakCacheBytesPerSample().stream())
        .max();
  }

  /** What makes the steps between those of a request. */
  private SamplerForm steps() {
    return SamplerForm.of(sampling.noising());
  }

  /** The samplers of which several steps may go in one request. */
  public List<String> severalAtOnce() {
    return steps().samplers();
  }

  /** The routers that stay without ensembles of several steps, as no engine makes their steps. */
  public List<String> withoutStretches() {
    return options.stepsPerRequest() == 1
        ? List.of()
        : routers.stream()
            .filter(router -> !steps().samplers().contains(router.sampler()))
            .map(Router::name)
            .toList();
  }

  /**
   * Adds what makes pictures out of the model's latents.
   *
   * @throws HarmonicaException if it decodes others
   */
  public Exporter withDecoder(Autoencoder autoencoder) {
    Denoiser.Interface io = model.denoiser().io();
    autoencoder.requireChannels(io.channels());
    beside.decoder = Optional.of(new DecoderEngine(autoencoder.of(io.origin()), io));
    return this;
  }

  Exporter withText(TextCheckpoint encoder, String tokenizer, long most) {
    return withTexts(List.of(Optional.of(new Text(encoder, tokenizer))), most);
  }

  /**
   * A text encoder to be added.
   *
   * @param tokenizer packed, for clients
   */
  public record Text(TextCheckpoint encoder, String tokenizer) {}

  /**
   * Adds what embeds prompts, by several text encoders.
   *
   * @param encoders in the model's order, as {@link TextLayout#of} has them
   * @throws HarmonicaException if the model takes other texts, or none
   */
  public Exporter withTexts(List<Optional<Text>> encoders) {
    return withTexts(encoders, TextEngines.MOST_BYTES);
  }

  Exporter withTexts(List<Optional<Text>> encoders, long most) {
    List<TextLayout> places =
        TextLayout.of(
            model.denoiser(), encoders.stream().map(some -> some.map(Text::encoder)).toList());
    boolean masks = model.denoiser().io().text().orElseThrow().mask();
    beside.texts =
        places.stream()
            .map(
                place -> {
                  String tokenizer = encoders.get(place.number()).get().tokenizer();
                  return new TextEngines(place, masks, options.precision(), tokenizer, most);
                })
            .toList();
    return this;
  }

  /**
   * Has pictures drawn otherwise than the model's origin draws.
   *
   * @throws HarmonicaException if its scheduler cannot be followed, and no sampler was stated; or
   *     for a router that nothing could draw with then
   */
  public Exporter withSampling(Sampling other) {
    sampling = other.withSampler(other.sampler());
    requireDrawn();
    return this;
  }

  private void requireDrawn() {
    routers.forEach(
        router -> sampling.following(router.name(), router.sampler(), router.timesteps()));
  }

  /** Has finished pictures resized and cropped to a size that the model does not make itself. */
  public Exporter resizedTo(Resolution size) {
    picture = Optional.of(size);
    return this;
  }

  /**
   * Adds a pass without some blocks, for skip-layer guidance; what other passes do stays the same.
   *
   * @throws HarmonicaException if the model is not guided so, or has no such blocks
   */
  public Exporter withSkipLayers(Set<Integer> blocks) {
    skipLayers = Optional.of(new SkipLayers(model.denoiser(), blocks));
    add(Names.NO_ROUTER, Map.of(Names.skipping(options.modelName()), skipLayers.get().step()));
    return this;
  }

  /**
   * Adds ensembles that make a picture in one request.
   *
   * @param names of routers, and {@link Names#NO_ROUTER} for uncached steps
   * @throws HarmonicaException for a router that is not exported
   */
  public Exporter withWholePictures(List<String> names) {
    beside.whole = new Wholes(names, routers);
    return this;
  }

  /**
   * Notes the checkpoint's digest, by which servers and routers are told to belong to it.
   *
   * @throws HarmonicaException if the options' ranges are another checkpoint's
   */
  public Exporter withDigest(String checkpoint) {
    digest = Optional.of(checkpoint);
    List<Site> sites = Site.of(model.denoiser());
    Optional<Observed> ranges = options.numerics().ranges();
    ranges.ifPresent(some -> some.requireAllOf(checkpoint, sites));
    if (options.precision().maps() == Precision.Maps.INT4) {
      ranges.orElseThrow().requireMoments(sites);
    }
    return this;
  }

  /**
   * What {@link #export} would write there.
   *
   * @throws HarmonicaException if it would refuse that folder
   */
  public List<Entry> dryRun(Path repository) {
    try {
      List<Entry> entries = dryRun();
      Staging.requireUsable(repository, options, names(entries));
      return entries;
    } catch (IOException e) {
      throw unwritable(repository, e);
    }
  }

  /** What would be written. */
  public List<Entry> dryRun() {
    try {
      return write(Sink.NOWHERE);
    } catch (IOException e) {
      throw new IllegalStateException(e); // nothing is written
    }
  }

  /**
   * Writes the repository, to a temporary sibling first.
   *
   * @throws HarmonicaException if it has this model and {@code force} is off, if something else has
   *     one of its names, or if it cannot be written
   */
  public List<Entry> export(Path repository) {
    List<Entry> planned = dryRun();
    try (Staging staging = Staging.of(repository, options, names(planned))) {
      staging.requireSpace(planned.stream().mapToLong(Entry::sizeBytes).sum());
      List<Entry> entries = write(new Sink(staging.folder()));
      staging.publish();
      return entries;
    } catch (UncheckedIOException e) {
      throw unwritable(repository, e.getCause());
    } catch (IOException e) {
      throw unwritable(repository, e);
    }
  }

  private static List<String> names(List<Entry> entries) {
    return entries.stream().map(Entry::name).toList();
  }

  private static HarmonicaException unwritable(Path repository, IOException cause) {
    return new HarmonicaException(
        "cannot write the repository %s: %s; nothing was changed"
            .formatted(repository, AtomicFile.reason(cause)),
        cause);
  }

  private void add(String router, Map<String, Stretch> more) {
    for (Map.Entry<String, Stretch> ensemble : more.entrySet()) {
      Stretch stretch = ensemble.getValue();
      ensembles.put(ensemble.getKey(), new Call(router, stretch));
      for (int s = 0; s < stretch.steps(); s++) {
        pieces.of(stretch.route(s)).forEach(link -> engines.add(link.engine()));
      }
    }
  }

  private List<Entry> write(Sink sink) throws IOException {
    requireDrawn();
    if (options.numerics().ranges().isPresent() && digest.isEmpty()) {
      throw new IllegalStateException("withDigest comes first: it says whose ranges are expected");
    }
    List<Entry> entries = new ArrayList<>();
    graphs.clear();
    for (List<Engine> sharing : sharing()) {
      writeEngines(sharing, sink, entries);
    }
    beside.write(sink, entries);
    if (options.stepsPerRequest() > 1 || !beside.whole.isEmpty()) {
      entries.add(beside.sampler(steps(), sink));
    }
    Manifest manifest = manifest();
    for (Map.Entry<String, Call> ensemble : ensembles.entrySet()) {
      Call call = ensemble.getValue();
      for (ModelConfig config :
          configs.ensembles(ensemble.getKey(), call.router(), call.stretch(), manifest)) {
        entries.add(sink.ensemble(config));
      }
    }
    if (!beside.whole.isEmpty()) {
      beside.pictures(manifest, sink, entries);
    }
    return entries;
  }

  /**
   * The engines by the data file that they have: each alone, or with hard links all variants of one
   * together, that which computes everything first.
   */
  private Collection<List<Engine>> sharing() {
    return engines.stream()
        .collect(
            Collectors.groupingBy(
                engine -> options.writing().hardLinks() ? engine.computed() : engine,
                LinkedHashMap::new,
                Collectors.toList()))
        .values();
  }

  /** Engines with one data file, which the first of them has and the others link to. */
  private void writeEngines(List<Engine> sharing, Sink sink, List<Entry> entries)
      throws IOException {
    Path data = sink.data(configs.name(sharing.get(0)));
    try (WeightFile weights = Sink.weights(data)) {
      long counted = 0;
      for (Engine engine : sharing) {
        String name = configs.name(engine);
        Graph graph = pieces.graph(engine, weights);
        engine.requireFits(weights.sizeBytes(), most);
        graphs.put(engine, graph);
        ModelProto onnx = graph.model();
        long size = onnx.getSerializedSize() + weights.sizeBytes() - counted;
        counted = weights.sizeBytes();
        size += sink.config(Accelerator.cachedByContent(configs.engine(engine), onnx, data));
        sink.onnx(name, onnx);
        if (!engine.equals(sharing.get(0)) && Sink.usesData(onnx)) {
          sink.link(name, data);
        }
        boolean repeats = !options.writing().hardLinks() && !engine.equals(engine.computed());
        entries.add(new Entry(name, size, repeats ? weights.sizeBytes() : 0));
      }
    }
    if (data != null && Files.size(data) == 0) {
      Files.delete(data); // of an engine that only reuses
    }
  }

  /** Why pictures in one request are latents only; empty where they are not. */
  public Optional<String> latentsOnly() {
    return beside.whole.latentsOnly(manifest());
  }

  private Manifest manifest() {
    return new Description(model, options, numbers, configs, sampling, skipLayers)
        .manifest(beside.decoder, beside.texts, picture, digest, routers);
  }
}
