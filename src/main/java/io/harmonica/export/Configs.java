package io.harmonica.export;

import ai.onnx.proto.OnnxMl;
import io.harmonica.export.Ports.Port;
import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.DataType;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelInstanceGroup;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.router.Route;
import io.harmonica.router.Stretch;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/** The Triton configurations of engines and of the ensembles that chain them. */
final class Configs {
  private final Denoiser model;
  private final ExportOptions options;
  private final Function<Engine, Ports> graphs;
  private Ports samplerPorts; // once its engine is written

  Configs(Denoiser model, ExportOptions options, Function<Engine, Ports> graphs) {
    this.model = model;
    this.options = options;
    this.graphs = graphs;
  }

  String name(Engine engine) {
    return options.modelName() + "-" + engine.suffix(model);
  }

  ModelConfig engine(Engine engine) {
    Ports ports = graphs.apply(engine);
    int most = options.maxBatch();
    String profile =
        profile(
            shapes(ports.inputs(), 1),
            shapes(ports.inputs(), Math.min(2, most)), // guidance's pair
            shapes(ports.inputs(), most));
    return engine(name(engine), ports, most, profile);
  }

  /** The decoder, a picture at a time; {@code latents} are the largest that it gets. */
  ModelConfig decoder(Ports ports, long... latents) {
    Port input = ports.inputs().get(0);
    Port smallest = new Port(input.name(), input.type(), latents[0], 1, 1);
    Port largest = new Port(input.name(), input.type(), latents);
    String most = shapes(List.of(largest), 1);
    return engine(decoderName(), ports, 1, profile(shapes(List.of(smallest), 1), most, most));
  }

  String decoderName() {
    return options.modelName() + "-decoder";
  }

  private ModelConfig engine(String name, Ports ports, int maxBatch, String profile) {
    ModelConfig.Builder config = model(name, ports.inputs(), ports.outputs());
    config.setMaxBatchSize(maxBatch);
    // Without a count Triton starts two CPU instances, and holds the weights twice.
    config.addInstanceGroup(ModelInstanceGroup.newBuilder().setCount(1));
    if (options.platform() == ExportOptions.Platform.TENSORRT) {
      config.setBackend("tensorrt").setDefaultModelFilename("model.plan");
      config.putParameters("trtexec", parameter(profile));
    } else {
      config.setBackend("onnxruntime").setDefaultModelFilename("model.onnx");
    }
    return config.build();
  }

  /** The engine between the steps of a stretch. */
  ModelConfig sampler(Ports ports) {
    samplerPorts = ports;
    int most = options.maxBatch();
    String profile =
        profile(
            shapes(ports.inputs(), 1),
            shapes(ports.inputs(), Math.min(2, most)),
            shapes(ports.inputs(), most));
    return engine(Names.sampler(options.modelName()), ports, most, profile);
  }

  /** One step of a route: every engine in turn, with what they hand on. */
  ModelConfig ensemble(String name, Route route) {
    Chain chain = new Chain();
    List<String> branches = branches();
    chain.addStep(
        route,
        port -> port,
        port -> {
          int branch = branches.indexOf(port);
          return branch < 0 || route.stored().get(branch) ? port : null;
        });
    for (int b = 0; b < branches.size(); b++) {
      if (route.stored().get(b)) {
        chain.expose(branches.get(b));
      }
    }
    chain.expose(Names.NOISE_PREDICTION);
    return chain.config(name);
  }

  /** Several steps, and the sampler's between them, with what they hand on. */
  ModelConfig stretch(String name, Stretch stretch) {
    Chain chain = new Chain();
    List<String> branches = branches();
    for (int s = 0; s < stretch.steps(); s++) {
      int step = s;
      Route route = stretch.route(s);
      Map<String, String> renamed = new HashMap<>(); // what a step has of its own
      renamed.put(Names.SAMPLE, s == 0 ? Names.SAMPLE : Names.ofStep(Names.SAMPLE, s));
      for (String own : List.of(Names.TIMESTEP, Names.REUSE_WEIGHTS, Names.NOISE_PREDICTION)) {
        renamed.put(own, Names.ofStep(own, s));
      }
      for (int b = 0; b < branches.size(); b++) {
        List<Stretch.Source> sources = stretch.reads().get(s).get(b);
        for (int i = 0; i < sources.size(); i++) {
          Stretch.Source source = sources.get(i);
          renamed.put(
              Names.history(branches.get(b), i + 1),
              source.isBefore()
                  ? Names.history(branches.get(b), source.age())
                  : Names.ofStep(branches.get(b), source.step()));
        }
      }
      chain.addStep(
          route,
          port -> renamed.getOrDefault(port, port),
          port -> {
            int branch = branches.indexOf(port);
            return branch >= 0 && !route.stored().get(branch) ? null : Names.ofStep(port, step);
          });
      String next =
          s == stretch.steps() - 1 ? Names.NEXT_SAMPLE : Names.ofStep(Names.SAMPLE, s + 1);
      renamed.put(Names.UPDATE, Names.ofStep(Names.UPDATE, s));
      chain.add(
          Names.sampler(options.modelName()),
          samplerPorts,
          port -> renamed.getOrDefault(port, port),
          port -> next);
    }
    chain.expose(Names.NEXT_SAMPLE);
    chain.expose(Names.ofStep(Names.NOISE_PREDICTION, stretch.steps() - 1));
    for (int s = 0; s < stretch.steps(); s++) {
      for (int b = 0; b < branches.size(); b++) {
        if (stretch.kept().get(s).get(b)) {
          chain.expose(Names.ofStep(branches.get(b), s));
        }
      }
    }
    return chain.config(name);
  }

  private List<String> branches() {
    return model.branches().stream().map(Branch::name).toList();
  }

  /** An ensemble under construction. */
  private final class Chain {
    private final Map<String, Port> inputs = new LinkedHashMap<>();
    private final Map<String, Port> outputs = new LinkedHashMap<>();
    private final Map<String, Port> made = new HashMap<>();
    private final List<ModelEnsembling.Step.Builder> steps = new ArrayList<>();
    private int hidden;

    /**
     * Adds the engines of one denoising step.
     *
     * @param takes the tensor behind an input from outside the step, by the engines' name
     * @param gives the tensor that an engine's output becomes; null where nobody reads it
     */
    void addStep(Route route, UnaryOperator<String> takes, UnaryOperator<String> gives) {
      Set<String> own = new HashSet<>(); // tensors between the engines of the step
      for (Engine engine : Engine.of(model, route, options.blocksPerEngine())) {
        add(
            name(engine),
            graphs.apply(engine),
            port ->
                port.equals(Denoiser.HIDDEN)
                    ? hidden(hidden)
                    : own.contains(port) ? gives.apply(port) : takes.apply(port),
            port -> {
              if (port.equals(EngineGraph.NEXT_HIDDEN)) {
                return hidden(++hidden);
              }
              if (port.equals(Denoiser.HIDDEN)) {
                return hidden(hidden);
              }
              own.add(port);
              return gives.apply(port);
            });
      }
      hidden++;
    }

    void add(String name, Ports ports, UnaryOperator<String> takes, UnaryOperator<String> gives) {
      ModelEnsembling.Step.Builder step =
          ModelEnsembling.Step.newBuilder().setModelName(name).setModelVersion(-1);
      for (Port port : ports.inputs()) {
        String tensor = takes.apply(port.name());
        step.putInputMap(port.name(), tensor);
        if (!made.containsKey(tensor)) {
          inputs.put(tensor, port);
        }
      }
      for (Port port : ports.outputs()) {
        String tensor = gives.apply(port.name());
        if (tensor != null) {
          made.put(tensor, port);
          step.putOutputMap(port.name(), tensor);
        }
      }
      steps.add(step);
    }

    void expose(String tensor) {
      outputs.put(tensor, made.get(tensor));
    }

    ModelConfig config(String name) {
      return model(name, named(inputs), named(outputs))
          .setPlatform("ensemble")
          .setEnsembleScheduling(withoutUnread(steps, outputs.keySet()))
          .build();
    }
  }

  /** Ports under the names that they have outside their engine. */
  private static List<Port> named(Map<String, Port> tensors) {
    return tensors.entrySet().stream()
        .map(port -> new Port(port.getKey(), port.getValue().type(), port.getValue().shape()))
        .toList();
  }

  /** Triton refuses tensors that no step reads: the caption's, where all blocks reuse theirs. */
  private static ModelEnsembling.Builder withoutUnread(
      List<ModelEnsembling.Step.Builder> steps, Set<String> outputs) {
    Set<String> read = new HashSet<>(outputs);
    steps.forEach(step -> read.addAll(step.getInputMapMap().values()));
    ModelEnsembling.Builder ensemble = ModelEnsembling.newBuilder();
    for (ModelEnsembling.Step.Builder step : steps) {
      Map<String, String> made = Map.copyOf(step.getOutputMapMap());
      made.forEach(
          (port, tensor) -> {
            if (!read.contains(tensor)) {
              step.removeOutputMap(port);
            }
          });
      ensemble.addStep(step);
    }
    return ensemble;
  }

  static ModelParameter parameter(String value) {
    return ModelParameter.newBuilder().setStringValue(value).build();
  }

  private ModelConfig.Builder model(String name, List<Port> inputs, List<Port> outputs) {
    ModelConfig.Builder config =
        ModelConfig.newBuilder().setName(name).setMaxBatchSize(options.maxBatch());
    for (Port port : inputs) {
      config.addInput(
          ModelInput.newBuilder()
              .setName(port.name())
              .setDataType(type(port.type()))
              .addAllDims(dims(port)));
    }
    for (Port port : outputs) {
      config.addOutput(
          ModelOutput.newBuilder()
              .setName(port.name())
              .setDataType(type(port.type()))
              .addAllDims(dims(port)));
    }
    return config.putParameters(Manifest.PART_OF, parameter(options.modelName()));
  }

  /** The shapes that {@code trtexec} optimises for. */
  private static String profile(String min, String opt, String max) {
    return "--minShapes=" + min + " --optShapes=" + opt + " --maxShapes=" + max;
  }

  private static String shapes(List<Port> inputs, int batch) {
    return inputs.stream()
        .map(
            port ->
                port.name()
                    + ":"
                    + batch
                    + Arrays.stream(port.shape())
                        .mapToObj(size -> "x" + size)
                        .collect(Collectors.joining()))
        .collect(Collectors.joining(","));
  }

  private static String hidden(int index) {
    return String.format(Locale.ROOT, "hidden.%02d", index);
  }

  private static List<Long> dims(Port port) {
    return Arrays.stream(port.shape()).boxed().toList();
  }

  private static DataType type(OnnxMl.TensorProto.DataType type) {
    return switch (type) {
      case FLOAT -> DataType.TYPE_FP32;
      case FLOAT16 -> DataType.TYPE_FP16;
      case INT64 -> DataType.TYPE_INT64;
      default -> throw new IllegalStateException("no engine takes " + type);
    };
  }
}
