package io.harmonica.export;

import io.harmonica.Port;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Streams;
import io.harmonica.onnx.Graph;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Ensemble;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Role;
import io.harmonica.repository.SamplerForm;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelDynamicBatching;
import io.harmonica.repository.proto.ModelInstanceGroup;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.router.Route;
import io.harmonica.router.Stretch;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The Triton configurations of engines and of the ensembles that chain them. */
final class Configs {
  private static final long MOST_BYTES_AHEAD = 64L << 20;
  private static final long MOST_ROWS_AHEAD = 1024;
  private static final Role TEXT = Role.of(Role.Kind.TEXT);
  private static final Role DECODER = Role.of(Role.Kind.DECODER);

  /** What ONNX Runtime may keep of freed memory: a third of a machine of 24 GB. */
  private static final long MOST_ARENA_BYTES = 8_000_000_000L;

  private final Denoiser model;
  private final ExportOptions options;
  private final Pieces pieces;
  private final Function<Engine, Graph> graphs;
  private ModelConfig sampler; // once its engine is written

  Configs(Denoiser model, ExportOptions options, Pieces pieces, Function<Engine, Graph> graphs) {
    this.model = model;
    this.options = options;
    this.pieces = pieces;
    this.graphs = graphs;
  }

  String name(Engine engine) {
    return Names.engine(options.modelName(), engine.role());
  }

  ModelConfig engine(Engine engine) {
    Graph graph = graphs.apply(engine);
    if (options.platform() == ExportOptions.Platform.TENSORRT) {
      return engine(name(engine), engine.role(), graph);
    }
    boolean ahead =
        engine.isAhead() && options.platform() != ExportOptions.Platform.ONNXRUNTIME_TENSORRT;
    int most = ahead ? rowsAhead(graph) : options.maxBatch();
    ModelConfig.Builder config = engine(name(engine), engine.role(), graph, most).toBuilder();
    if (graph.isInt8()) {
      config.putParameters(Names.INT8, parameter("1"));
    }
    boolean large =
        graph.inputs().stream()
            .filter(port -> port.name().equals(Streams.HIDDEN))
            .anyMatch(port -> arenaBytes(port.shape()[0], port.shape()[1]) > MOST_ARENA_BYTES);
    if (large) {
      config.putParameters(Names.MEMORY_ARENA, parameter("0"));
    }
    return config.build();
  }

  /** What needs no sample, the embedded runtime makes for many steps at once: for so many rows. */
  private int rowsAhead(Graph graph) {
    long elements =
        Stream.concat(graph.inputs().stream(), graph.outputs().stream())
            .mapToLong(Port::elements)
            .sum();
    long bytes = options.precision().element().bytes(elements);
    return Math.max(options.maxBatch(), (int) Math.min(MOST_ROWS_AHEAD, MOST_BYTES_AHEAD / bytes));
  }

  /**
   * About what the engines' arenas would keep of one step with guidance in fp32, each for itself:
   * scores, with heads about 64 wide, and activations. PixArt-XL at 512 pixels: 12 GB, measured 13.
   */
  private long arenaBytes(long tokens, long width) {
    long blocks = model.branches().get(model.branches().size() - 1).block() + 1L;
    long engines =
        options.engines() instanceof EngineSize.Blocks size ? blocks / size.count() : blocks;
    long elements = 2 * tokens * tokens * (width / 64 + 1) + 12 * tokens * width;
    return 2 * Float.BYTES * elements * engines;
  }

  private ModelConfig engine(String name, Role role, Graph graph) {
    return engine(name, role, graph, options.maxBatch());
  }

  private ModelConfig engine(String name, Role role, Graph graph, int most) {
    return engine(name, role, graph, most, Profile.ofBatches(graph.inputs(), most));
  }

  /** The first has no number. */
  String textEncoderName(TextEngines text) {
    String name = options.modelName() + "-text-encoder";
    return text.place().number() == 0 ? name : name + "-" + (text.place().number() + 1);
  }

  String textPartName(TextEngines text, int part) {
    return String.format(Locale.ROOT, "%s-%02d", textEncoderName(text), part);
  }

  ModelConfig textPart(TextEngines text, int part, Graph graph) {
    return engine(textPartName(text, part), TEXT, graph);
  }

  /** A text encoder's parts in turn, and the tokenizer for its clients. */
  ModelConfig textEncoder(TextEngines text, List<ModelConfig> parts) {
    return Ensemble.of(textEncoderName(text), options.modelName(), TEXT, parts, text.outputs())
        .toBuilder()
        .putParameters(Manifest.TOKENIZER, parameter(text.tokenizer()))
        .build();
  }

  /**
   * The decoder. Requests are not batched together: a picture takes much memory.
   *
   * @param pictures at a time: one, but where whole trajectories go in one request
   * @param latents the largest that it gets
   */
  ModelConfig decoder(Graph graph, int pictures, long... latents) {
    Port input = graph.inputs().get(0);
    Port smallest = new Port(input.name(), input.type(), latents[0], 1, 1);
    Port largest = new Port(input.name(), input.type(), latents);
    Profile profile = Profile.ofSizes(smallest, largest, pictures);
    return engine(decoderName(), DECODER, graph, pictures, profile).toBuilder()
        .clearDynamicBatching()
        .build();
  }

  String decoderName() {
    return Names.engine(options.modelName(), DECODER);
  }

  private ModelConfig engine(String name, Role role, Graph graph, int maxBatch, Profile profile) {
    ModelConfig.Builder config =
        ConfigPorts.of(graph.inputs(), graph.outputs())
            .setName(name)
            .setMaxBatchSize(maxBatch)
            .putAllParameters(role.parameters(options.modelName()));
    // Without a count Triton starts two CPU instances, and holds the weights twice.
    config.addInstanceGroup(ModelInstanceGroup.newBuilder().setCount(1));
    if (maxBatch > 1 && options.requests().dynamicBatching()) {
      // What waits while the instance is busy goes together, of whatever trajectory; nothing waits
      // for it.
      config.setDynamicBatching(ModelDynamicBatching.getDefaultInstance());
    }
    if (options.platform() == ExportOptions.Platform.TENSORRT) {
      config.setBackend("tensorrt").setDefaultModelFilename("model.plan");
      config.putParameters("trtexec", parameter(profile.trtexec()));
    } else {
      config.setBackend("onnxruntime").setDefaultModelFilename("model.onnx");
    }
    switch (options.platform()) {
      case ONNXRUNTIME_TENSORRT -> Accelerator.tensorRt(config, profile);
      case ONNXRUNTIME_OPENVINO -> Accelerator.openVino(config);
      default -> {} // the backend's own kernels, or plans
    }
    return config.build();
  }

  /**
   * The engine between the steps of a stretch. Its rows name each other by their index in the
   * request, so requests must not be batched together.
   */
  ModelConfig sampler(Graph graph, SamplerForm steps) {
    ModelConfig config =
        engine(steps.engine(options.modelName()), Role.of(Role.Kind.SAMPLER), graph);
    sampler = config.toBuilder().clearDynamicBatching().build();
    return sampler;
  }

  /** The steps of one request: every engine in turn, with what they hand on. */
  ModelConfig ensemble(String name, String router, Stretch stretch) {
    List<List<Ensemble.Link>> engines =
        IntStream.range(0, stretch.steps()).mapToObj(s -> engines(stretch.route(s))).toList();
    return Ensemble.of(
        name,
        options.modelName(),
        Role.call(router),
        engines,
        () -> sampler,
        model.branchNames(),
        stretch);
  }

  /**
   * The same, the base model's with the manifest; of one step over again, where a client can have
   * the condition made ahead.
   */
  List<ModelConfig> ensembles(String name, String router, Stretch stretch, Manifest manifest) {
    ModelConfig plain = ensemble(name, router, stretch);
    ModelConfig.Builder told = plain.toBuilder();
    if (name.equals(options.modelName())) {
      told.putParameters(Manifest.KEY, parameter(manifest.toJson()));
    }
    List<ModelConfig> conditions = conditions();
    return conditions.isEmpty() || stretch.steps() > 1
        ? List.of(told.build())
        : List.of(told.build(), Ensemble.conditioned(plain, conditions));
  }

  /** The condition engines, where their outputs are cut to steps; else none. */
  List<ModelConfig> conditions() {
    List<ModelConfig> engines =
        pieces.conditions().stream()
            .filter(engine -> graphs.apply(engine) != null) // once they are written
            .map(this::engine)
            .toList();
    return engines.stream().allMatch(Ensemble::areCut) ? engines : List.of();
  }

  private List<Ensemble.Link> engines(Route route) {
    return pieces.of(route).stream()
        .map(link -> new Ensemble.Link(engine(link.engine()), link.turn()))
        .toList();
  }

  static ModelParameter parameter(String value) {
    return ModelParameter.newBuilder().setStringValue(value).build();
  }
}
