package io.harmonica.whole;

import io.harmonica.Port;
import io.harmonica.onnx.Ending;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.SeededNoise;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Ensemble;
import io.harmonica.repository.Ensemble.Part;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelInstanceGroup;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The models of a {@link WholePicture}: engines without weights, and the ensembles that have them
 * around all steps.
 */
public final class WholeModels {
  private static final String FINISHED = "finished"; // latents, for the decoder
  private static final String BOTH = Names.rows(Names.NEXT_SAMPLE); // both halves of the last

  private final WholePicture picture;
  private final Manifest manifest;
  private final ModelConfig steps;
  private final Function<String, ModelConfig> configs;
  private final Small begin; // which no other router has
  private final Small end;
  private final Small noise;

  /**
   * Of a picture.
   *
   * @param steps an ensemble of all its steps, which is no model itself
   * @param configs of the model's decoder and text encoder, by name
   */
  public WholeModels(
      WholePicture picture, ModelConfig steps, Function<String, ModelConfig> configs) {
    this.picture = picture;
    this.manifest = picture.manifest();
    this.steps = steps;
    this.configs = configs;
    this.begin = begin();
    this.end = end();
    this.noise = noise();
  }

  /** An engine without weights. */
  public record Small(ModelConfig config, Graph graph) {}

  /** The engine that makes noise of seeds. */
  private Small noise() {
    Graph graph =
        SeededNoise.graph(
            Names.SEED, Names.NOISE, manifest.channels(), manifest.height(), manifest.width());
    return small(Role.of(Role.Kind.NOISE), graph);
  }

  /** The engine in front of the steps. */
  private Small begin() {
    Role role = Role.whole(Role.Kind.BEGIN, picture.router());
    return small(role, new BeginEngine(picture, ConfigPorts.inputs(steps)).graph());
  }

  /** The engine behind the steps. */
  private Small end() {
    List<String> outputs =
        picture.drawsPictures() ? List.of(Names.LATENTS, FINISHED) : List.of(Names.LATENTS);
    Graph graph =
        Ending.latents(
            Names.SAMPLE,
            picture.guides() ? Names.GUIDANCE : null,
            outputs,
            manifest.channels(),
            manifest.height(),
            manifest.width());
    return small(Role.of(Role.Kind.END), graph);
  }

  /** The engine that makes bytes of pixels. */
  private Small pixels() {
    boolean decodes = manifest.decoder() != null;
    int times = decodes ? manifest.pixelsPerElement() : 1;
    Graph graph =
        Ending.image(
            Names.PIXELS,
            Names.IMAGE,
            decodes ? 3 : manifest.channels(),
            (long) times * manifest.height(),
            (long) times * manifest.width());
    return small(Role.of(Role.Kind.PIXELS), graph);
  }

  /** All engines without weights, in order. */
  public List<Small> engines() {
    return picture.drawsPictures()
        ? List.of(noise, begin, end, pixels())
        : List.of(noise, begin, end);
  }

  /** The ensembles: from noise, and from a seed. */
  public List<ModelConfig> ensembles() {
    return List.of(
        ensemble(picture.name(), List.of()),
        ensemble(
            Names.seeded(picture.name()), List.of(part(noise.config(), Map.of(), named(noise)))));
  }

  private ModelConfig ensemble(String name, List<Part> first) {
    int rows = picture.guides() ? 2 : 1;
    List<Part> parts = new ArrayList<>(first);
    parts.add(part(begin.config(), Map.of(), named(begin)));
    if (picture.embeds()) {
      ModelConfig encoder = configs.apply(manifest.text().encoder());
      parts.add(
          new Part(
              encoder,
              ofRows(encoder),
              Map.of(Names.TEXT_EMBEDDING, Names.rows(Names.TEXT_EMBEDDING)),
              false,
              rows));
    }
    parts.add(new Part(steps, ofRows(steps), Map.of(Names.NEXT_SAMPLE, BOTH), true, rows));
    parts.add(part(end.config(), Map.of(Names.SAMPLE, BOTH), named(end)));
    List<String> outputs = new ArrayList<>();
    if (picture.drawsPictures()) {
      String pixels = FINISHED;
      if (manifest.decoder() != null) {
        pixels = Names.PIXELS;
        parts.add(
            part(
                configs.apply(manifest.decoder().model()),
                Map.of(Names.LATENTS, FINISHED),
                Map.of(Names.PIXELS, pixels)));
      }
      ModelConfig bytes = pixels().config();
      parts.add(part(bytes, Map.of(Names.PIXELS, pixels), Map.of(Names.IMAGE, Names.IMAGE)));
      outputs.add(Names.IMAGE);
    }
    outputs.add(Names.LATENTS);
    return Ensemble.chain(
        name, manifest.model(), Role.whole(Role.Kind.PICTURE, picture.router()), parts, outputs);
  }

  /** Outputs by their own names. */
  private static Map<String, String> named(Small engine) {
    Map<String, String> names = new HashMap<>();
    ConfigPorts.outputs(engine.config()).forEach(port -> names.put(port.name(), port.name()));
    return names;
  }

  /** Inputs by what the first engine calls their rows. */
  private static Map<String, String> ofRows(ModelConfig model) {
    Map<String, String> names = new HashMap<>();
    ConfigPorts.inputs(model).forEach(port -> names.put(port.name(), Names.rows(port.name())));
    return names;
  }

  private static Part part(
      ModelConfig model, Map<String, String> takes, Map<String, String> gives) {
    return new Part(model, takes, gives, false, 1);
  }

  /** Without a batch, as it changes the rows; on the CPU, which holds indices to their range. */
  private Small small(Role role, Graph graph) {
    ModelConfig config =
        ConfigPorts.of(
                graph.inputs().stream().map(Port::ofRows).toList(),
                graph.outputs().stream().map(Port::ofRows).toList())
            .setName(Names.engine(manifest.model(), role))
            .putAllParameters(role.parameters(manifest.model()))
            .addInstanceGroup(
                ModelInstanceGroup.newBuilder()
                    .setCount(1)
                    .setKind(ModelInstanceGroup.Kind.KIND_CPU))
            .setBackend("onnxruntime")
            .setDefaultModelFilename("model.onnx")
            .build();
    return new Small(config, graph);
  }
}
