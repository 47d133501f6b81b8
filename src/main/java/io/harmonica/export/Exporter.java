package io.harmonica.export;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Origin;
import io.harmonica.model.Resolution;
import io.harmonica.model.Shows;
import io.harmonica.model.Unconditional;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Model;
import io.harmonica.origin.TextCheckpoint;
import io.harmonica.origin.TextLayout;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.ManifestNoise;
import io.harmonica.repository.ManifestText;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.StepEngine;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.sampler.Sampling;
import io.harmonica.whole.WholeModels;
import io.harmonica.whole.WholePicture;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
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
  private final Set<Engine> engines = new LinkedHashSet<>();
  private final Map<Engine, Graph> graphs = new HashMap<>();
  private final Map<String, Call> ensembles = new LinkedHashMap<>();
  private final Pieces pieces;
  private final Configs configs;
  private final Map<String, ModelConfig> beside = new HashMap<>(); // once they are written
  private Optional<DecoderEngine> decoder = Optional.empty();
  private List<TextEngines> texts = List.of();
  private Optional<Resolution> picture = Optional.empty();
  private Wholes whole = new Wholes(List.of(), List.of());
  private Sampling sampling;
  private Optional<String> digest = Optional.empty();

  /**
   * Plans the export.
   *
   * @throws HarmonicaException for a router of another model, or two of one name
   */
  public Exporter(Model model, List<Router> routers, ExportOptions options) {
    this.model = model;
    this.routers = List.copyOf(routers);
    this.options = options;
    this.sampling = usual(model.denoiser().io());
    this.pieces = new Pieces(model, options.engines(), options.precision());
    this.configs = new Configs(model.denoiser(), options, pieces, graphs::get);
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

  /** How a model is sampled that comes without a scheduler: as its origin does. */
  public static Sampling usual(Denoiser.Interface io) {
    Origin origin = io.origin();
    return Sampling.of(origin.noising(), origin.sampler(), origin.spacing(), io.learnsVariance());
  }

  /** What makes the steps between those of a request. */
  private StepEngine steps() {
    return StepEngine.of(sampling.noising());
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
    decoder = Optional.of(new DecoderEngine(autoencoder, io));
    return this;
  }

  /**
   * Adds what embeds prompts.
   *
   * @param tokenizer packed, for clients
   * @throws HarmonicaException if the model takes other texts, or none
   */
  public Exporter withText(TextCheckpoint encoder, String tokenizer) {
    return withText(encoder, tokenizer, TextEngines.MOST_BYTES);
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
    texts =
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
  public Exporter withPicture(Resolution size) {
    picture = Optional.of(size);
    return this;
  }

  /**
   * Adds ensembles that make a picture in one request.
   *
   * @param names of routers, and {@link Names#NO_ROUTER} for uncached steps
   * @throws HarmonicaException for a router that is not exported
   */
  public Exporter withPictures(List<String> names) {
    whole = new Wholes(names, routers);
    return this;
  }

  /** Notes the checkpoint's digest, by which servers and routers are told to belong to it. */
  public Exporter withDigest(String checkpoint) {
    digest = Optional.of(checkpoint);
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
      return write(null);
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
      List<Entry> entries = write(staging.folder());
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

  private List<Entry> write(Path folder) throws IOException {
    requireDrawn();
    List<Entry> entries = new ArrayList<>();
    graphs.clear();
    for (List<Engine> sharing : sharing()) {
      writeEngines(sharing, folder, entries);
    }
    if (decoder.isPresent()) {
      entries.add(writeDecoder(decoder.get(), folder));
    }
    for (TextEngines text : texts) {
      writeText(text, folder, entries);
    }
    if (options.stepsPerRequest() > 1 || !whole.isEmpty()) {
      entries.add(writeSampler(folder));
    }
    for (Map.Entry<String, Call> ensemble : ensembles.entrySet()) {
      Call call = ensemble.getValue();
      ModelConfig config = configs.ensemble(ensemble.getKey(), call.router(), call.stretch());
      if (config.getName().equals(options.modelName())) {
        config =
            config.toBuilder()
                .putParameters(Manifest.KEY, Configs.parameter(manifest().toJson()))
                .build();
      }
      entries.add(new Entry(config.getName(), writeConfig(config, folder)));
    }
    if (!whole.isEmpty()) {
      writePictures(folder, entries);
    }
    return entries;
  }

  /** Why pictures in one request are latents only; empty where they are not. */
  public Optional<String> latentsOnly() {
    return whole.latentsOnly(manifest());
  }

  private void writePictures(Path folder, List<Entry> entries) throws IOException {
    Set<String> written = new HashSet<>(); // engines that pictures share
    for (WholePicture made : whole.pictures(manifest())) {
      WholeModels models =
          new WholeModels(
              made, configs.ensemble(made.name(), made.router(), made.stretch()), beside::get);
      for (WholeModels.Small engine : models.engines()) {
        if (written.add(engine.config().getName())) {
          entries.add(writeSmall(engine.config(), engine.graph(), folder));
        }
      }
      ModelConfig ensemble = models.ensemble();
      entries.add(new Entry(ensemble.getName(), writeConfig(ensemble, folder)));
    }
  }

  private static Entry writeSmall(ModelConfig config, Graph graph, Path folder) throws IOException {
    ModelProto onnx = graph.model();
    if (folder != null) {
      writeOnnx(onnx, versionFolder(config.getName(), folder));
    }
    return new Entry(config.getName(), onnx.getSerializedSize() + writeConfig(config, folder));
  }

  /**
   * The engines by the data file that they have: each alone, or with hard links all variants of one
   * together, that which computes everything first.
   */
  private Collection<List<Engine>> sharing() {
    return engines.stream()
        .collect(
            Collectors.groupingBy(
                engine -> options.hardLinks() ? engine.computed() : engine,
                LinkedHashMap::new,
                Collectors.toList()))
        .values();
  }

  /** Engines with one data file, which the first of them has and the others link to. */
  private void writeEngines(List<Engine> sharing, Path folder, List<Entry> entries)
      throws IOException {
    Path data = null;
    if (folder != null) {
      data = versionFolder(sharing.get(0), folder).resolve(WeightFile.NAME);
    }
    try (WeightFile weights = data == null ? WeightFile.measure() : WeightFile.create(data)) {
      long counted = 0;
      for (Engine engine : sharing) {
        Graph graph = pieces.graph(engine, weights);
        graphs.put(engine, graph);
        ModelProto onnx = graph.model();
        long size = onnx.getSerializedSize() + weights.sizeBytes() - counted;
        counted = weights.sizeBytes();
        size +=
            writeConfig(Accelerator.cachedByContent(configs.engine(engine), onnx, data), folder);
        if (folder != null) {
          Path version = versionFolder(engine, folder);
          writeOnnx(onnx, version);
          if (!engine.equals(sharing.get(0)) && usesData(onnx)) {
            link(version.resolve(WeightFile.NAME), data);
          }
        }
        boolean repeats = !options.hardLinks() && !engine.equals(engine.computed());
        entries.add(new Entry(configs.name(engine), size, repeats ? weights.sizeBytes() : 0));
      }
    }
    if (data != null && Files.size(data) == 0) {
      Files.delete(data); // of an engine that only reuses
    }
  }

  private static void link(Path link, Path data) throws IOException {
    try {
      Files.createLink(link, data);
    } catch (UnsupportedOperationException | FileSystemException e) {
      throw new IOException("its disk has no hard links (" + e + "): leave out `hardLinks`", e);
    }
  }

  private Entry writeDecoder(DecoderEngine engine, Path folder) throws IOException {
    return writeAlone(
        configs.decoderName(),
        weights -> engine.graph(weights, options.precision()),
        graph -> noted(configs.decoder(graph, decodedAtOnce(), engine.largest())),
        folder);
  }

  /** Pictures of one request; else a picture at a time. */
  private int decodedAtOnce() {
    int rows = model.denoiser().io().unconditional().guides() ? 2 : 1;
    return whole.isEmpty() ? 1 : Math.max(1, options.maxBatch() / rows);
  }

  private ModelConfig noted(ModelConfig config) {
    beside.put(config.getName(), config);
    return config;
  }

  private void writeText(TextEngines engines, Path folder, List<Entry> entries) throws IOException {
    List<ModelConfig> parts = new ArrayList<>();
    for (TextEngines.Part part : engines.parts()) {
      int number = parts.size();
      entries.add(
          writeAlone(
              configs.textPartName(engines, number),
              weights -> engines.graph(part, weights),
              graph -> {
                parts.add(configs.textPart(engines, number, graph));
                return parts.get(number);
              },
              folder));
    }
    ModelConfig ensemble = noted(configs.textEncoder(engines, parts));
    entries.add(new Entry(ensemble.getName(), writeConfig(ensemble, folder)));
  }

  /** An engine that shares its weights with no other. */
  private static Entry writeAlone(
      String name,
      Function<WeightFile, Graph> engine,
      Function<Graph, ModelConfig> config,
      Path folder)
      throws IOException {
    Path version = folder == null ? null : versionFolder(name, folder);
    Path data = folder == null ? null : version.resolve(WeightFile.NAME);
    try (WeightFile weights = data == null ? WeightFile.measure() : WeightFile.create(data)) {
      Graph graph = engine.apply(weights);
      ModelProto onnx = graph.model();
      if (folder != null) {
        writeOnnx(onnx, version);
      }
      long size = onnx.getSerializedSize() + weights.sizeBytes();
      ModelConfig written = Accelerator.cachedByContent(config.apply(graph), onnx, data);
      return new Entry(name, size + writeConfig(written, folder));
    }
  }

  private Entry writeSampler(Path folder) throws IOException {
    Graph graph = new SamplerEngine(model.denoiser().io(), steps()).graph();
    ModelProto onnx = graph.model();
    return writeSmall(
        Accelerator.cachedByContent(configs.sampler(graph, steps()), onnx, null), graph, folder);
  }

  private static void writeOnnx(ModelProto onnx, Path version) throws IOException {
    try (OutputStream out =
        new BufferedOutputStream(Files.newOutputStream(version.resolve("model.onnx")))) {
      onnx.writeTo(out);
    }
  }

  private static boolean usesData(ModelProto onnx) {
    return onnx.getGraph().getInitializerList().stream()
        .anyMatch(initializer -> initializer.getExternalDataCount() > 0);
  }

  private Path versionFolder(Engine engine, Path folder) throws IOException {
    return versionFolder(configs.name(engine), folder);
  }

  /** Triton wants a version of every model, of an ensemble too. */
  private static Path versionFolder(String name, Path folder) throws IOException {
    Path version = folder.resolve(name).resolve("1");
    if (!Files.exists(version)) {
      Files.createDirectory(version.getParent()); // never the staging folder again, once it is gone
      Files.createDirectory(version);
    }
    return version;
  }

  private static long writeConfig(ModelConfig config, Path folder) throws IOException {
    byte[] text = ConfigFile.print(config).getBytes(StandardCharsets.UTF_8);
    if (folder != null) {
      Path version = versionFolder(config.getName(), folder);
      Files.write(version.resolveSibling(ConfigFile.NAME), text);
    }
    return text.length;
  }

  private List<ManifestText.Encoder> textEncoders(Shows.Text takes) {
    return texts.stream()
        .map(
            text ->
                new ManifestText.Encoder(
                    configs.textEncoderName(text),
                    text.place().number(),
                    text.place().tokens(),
                    text.place().width(),
                    text.place().row(),
                    text.place().column(),
                    text.place().pooled(),
                    text.place().from()))
        .toList();
  }

  private Manifest manifest() {
    Denoiser denoiser = model.denoiser();
    Denoiser.Interface io = denoiser.io();
    Manifest manifest =
        new Manifest(
                Manifest.FORMAT,
                options.modelName(),
                denoiser.architecture(),
                io.channels(),
                io.outputChannels(),
                io.height(),
                io.width(),
                decoder
                    .map(engine -> engine.autoencoder().decoder().pixelsPerElement())
                    .orElse(io.pixelsPerElement()),
                picture.map(size -> new Manifest.Size(size.height(), size.width())).orElse(null),
                io.classes(),
                io.unconditional() == Unconditional.NONE ? false : null,
                io.text().map(takes -> ManifestText.of(takes, textEncoders(takes))).orElse(null),
                sampling.sampler(),
                io.origin().spacing().toString(),
                Manifest.samplerSpacing(sampling),
                io.origin().guidanceChannels(),
                io.defaultGuidance() == io.unconditional().defaultGuidance()
                    ? null
                    : (Double) io.defaultGuidance(),
                options.maxBatch(),
                options.precision().name().toLowerCase(Locale.ROOT),
                digest.orElse(null),
                ManifestNoise.of(sampling.noising()),
                model.denoiser().branchNames(),
                denoiser.branchElements().stream()
                    .map(count -> options.precision().element().bytes(count))
                    .toList(),
                decoder
                    .map(engine -> new Manifest.Decoder(configs.decoderName(), engine.tile()))
                    .orElse(null),
                options.stepsPerRequest(),
                steps().toString(),
                model.flops(),
                Map.of(),
                Map.of())
            .withUncached(Program.DEFAULT_STEPS);
    for (Router router : routers) {
      manifest = manifest.with(router);
    }
    return manifest;
  }
}
