package io.harmonica.torch;

import static io.harmonica.Golden.assertClose;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.Element;
import io.harmonica.Golden;
import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Pruning;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.ChangedWeights;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Mlp;
import io.harmonica.model.Pruned;
import io.harmonica.model.Shapes;
import io.harmonica.model.Site;
import io.harmonica.model.Weights;
import io.harmonica.onnx.Evaluation;
import io.harmonica.onnx.Evaluation.Floats;
import io.harmonica.onnx.Evaluation.Longs;
import io.harmonica.onnx.Graph;
import io.harmonica.onnx.OnnxOps;
import io.harmonica.onnx.WeightFile;
import io.harmonica.origin.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Pruned models of every family: narrower maps compute what whole ones with zeros do. */
@Tag("golden")
class PrunedModelsTest {
  /** Sums in another order, of outputs of about 1. */
  private static final double TOLERANCE = 2e-5;

  @TempDir Path folder;

  static Stream<GoldenCase> models() throws IOException {
    return Stream.of(
            GoldenCase.dits(), GoldenCase.pixArts(), GoldenCase.uVits(), GoldenCase.ofTwoStreams())
        .flatMap(List::stream);
  }

  /** What a pass shows, in place of a calibration. */
  private record Seen(Map<String, float[]> largest, Map<String, float[]> moments)
      implements Observed {
    @Override
    public Observed requireAllOf(String digest, List<Site> sites) {
      return this;
    }

    @Override
    public Observed requireMoments(List<Site> sites) {
      assertThat(moments).containsOnlyKeys(sites.stream().map(Site::name).toList());
      return this;
    }

    @Override
    public float[] largest(Site site) {
      return largest.get(site.name());
    }

    @Override
    public Optional<Supplier<float[]>> moment(Site site) {
      return Optional.ofNullable(moments.get(site.name())).map(moment -> () -> moment);
    }
  }

  /** A pruned model's second maps in the whole model's sizes: what is gone is zero. */
  private record Widened(Weights exact, Weights pruned, Map<Mlp, Integer> widths)
      implements ChangedWeights {
    @Override
    public float[] read(String name, long... shape) {
      float[] values = exact.read(name, shape);
      for (Map.Entry<Mlp, Integer> entry : widths.entrySet()) {
        Mlp mlp = entry.getKey();
        if (name.equals(mlp.second())) {
          int width = entry.getValue();
          int[] kept = kept(mlp, width);
          float[] narrow = pruned.read(name, mlp.out(), width);
          values = new float[values.length];
          for (int i = 0; i < narrow.length; i++) {
            values[i / width * mlp.width() + kept[i % width]] = narrow[i];
          }
        }
      }
      return values;
    }

    /** By the rows of the first map, of which no two are equal. */
    private int[] kept(Mlp mlp, int width) {
      String first = mlp.first() + ".weight";
      float[] all = exact.read(first, mlp.width(), mlp.in());
      List<float[]> rows =
          IntStream.range(0, mlp.width()).mapToObj(row -> row(all, row, mlp.in())).toList();
      float[] some = pruned.read(first, width, mlp.in());
      return IntStream.range(0, width)
          .map(
              i ->
                  IntStream.range(0, mlp.width())
                      .filter(row -> Arrays.equals(rows.get(row), row(some, i, mlp.in())))
                      .findFirst()
                      .orElseThrow())
          .toArray();
    }

    private static float[] row(float[] values, int row, int length) {
      return Arrays.copyOfRange(values, row * length, (row + 1) * length);
    }
  }

  @ParameterizedTest
  @MethodSource("models")
  void narrowMaps_computeWhatZerosDo_inEnginesToo(GoldenCase golden) throws IOException {
    try (Checkpoint source = golden.open(folder);
        Checkpoint vectors = Golden.open(golden.inputs())) {
      Model whole = golden.model(source, vectors);
      Denoiser denoiser = whole.denoiser();
      double part = (1 + Pruning.least(denoiser)) / 2;
      Pruning pruning = Pruning.to(part, denoiser, whole.weights(), seen(golden, whole, vectors));
      Pruned left = Pruned.of(pruning.model()).orElseThrow();
      assertThat(left.flops()).isCloseTo(part, within(0.03)); // eight channels go at once
      assertThat(left.channels()).isBetween(0.4, 0.7);
      Map<Mlp, Integer> widths = new HashMap<>();
      List<Mlp> before = Mlp.of(denoiser);
      List<Mlp> after = Mlp.of(pruning.model());
      for (int i = 0; i < before.size(); i++) {
        widths.put(before.get(i), after.get(i).width());
      }
      Map<String, float[]> narrow = outputs(golden, pruning.model(), pruning.weights(), vectors);
      Map<String, float[]> zeros =
          outputs(
              golden, denoiser, new Widened(whole.weights(), pruning.weights(), widths), vectors);
      assertThat(narrow).containsOnlyKeys(zeros.keySet());
      narrow.forEach((name, values) -> assertClose(name, values, zeros.get(name), TOLERANCE));
      engine(golden, pruning, vectors)
          .forEach(
              (name, floats) -> assertClose(name, floats.values(), narrow.get(name), TOLERANCE));
    }
  }

  private static Observed seen(GoldenCase golden, Model model, Checkpoint vectors) {
    List<Site> sites = Site.of(model.denoiser());
    List<Site> hidden = Mlp.of(model.denoiser()).stream().map(Mlp::hidden).toList();
    try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32);
        ObservingOps observing = new ObservingOps(ops, sites, hidden);
        Scope scope = Scope.withoutGradients()) {
      observing.observe(true);
      Pass.run(model.denoiser(), observing, golden.inputs(vectors, ops));
      return new Seen(named(observing.largest()), named(observing.moments()));
    }
  }

  private static Map<String, float[]> named(Map<Site, float[]> values) {
    return values.entrySet().stream()
        .collect(Collectors.toMap(entry -> entry.getKey().name(), Map.Entry::getValue));
  }

  private static Map<String, float[]> outputs(
      GoldenCase golden, Denoiser model, Weights weights, Checkpoint vectors) {
    try (TorchOps ops = TorchOps.open(weights, Device.of("cpu"), Precision.FP32);
        Scope scope = Scope.withoutGradients()) {
      Map<String, float[]> outputs = new HashMap<>();
      Pass.run(model, ops, golden.inputs(vectors, ops))
          .forEach((name, output) -> outputs.put(name, output.floats()));
      return outputs;
    }
  }

  private Map<String, Floats> engine(GoldenCase golden, Pruning pruning, Checkpoint vectors)
      throws IOException {
    try (WeightFile file = WeightFile.create(folder.resolve(WeightFile.NAME))) {
      Graph graph = new Graph("pass");
      Map<String, Object> read = golden.inputs(vectors);
      Map<String, io.harmonica.onnx.Value> inputs = new HashMap<>();
      read.forEach((name, values) -> inputs.put(name, input(graph, name, values)));
      OnnxOps ops = new OnnxOps(graph, pruning.weights(), file, io.harmonica.onnx.Precision.FP32);
      Map<String, io.harmonica.onnx.Value> outputs = Pass.run(pruning.model(), ops, inputs);
      List<long[]> shapes = new ArrayList<>(Shapes.outputs(pruning.model()));
      Denoiser.Interface io = pruning.model().io();
      shapes.add(new long[] {io.outputChannels(), io.height(), io.width()});
      int at = 0;
      for (Map.Entry<String, io.harmonica.onnx.Value> output : outputs.entrySet()) {
        graph.output(output.getKey(), output.getValue(), shapes.get(at++));
      }
      return Evaluation.run(graph.model(), folder, read);
    }
  }

  private static io.harmonica.onnx.Value input(Graph graph, String name, Object values) {
    return values instanceof Floats floats
        ? graph.input(name, Element.FP32, afterBatch(floats.shape()))
        : graph.input(name, Element.INT64, afterBatch(((Longs) values).shape()));
  }

  private static long[] afterBatch(long[] shape) {
    return Arrays.copyOfRange(shape, 1, shape.length);
  }
}
