package io.harmonica.runtime;

import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;

import io.harmonica.HarmonicaException;
import io.harmonica.Port;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.proto.ModelConfig;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a model's configuration says it takes and gives, held against a request: the checks that
 * every runtime makes before it runs anything, so that the same fault gives the same words.
 */
public final class Signature {
  private Signature() {}

  /**
   * Checks a request.
   *
   * @throws HarmonicaException if an input is missing, unknown or of another type, shape or batch
   *     size, or an output is unknown
   */
  public static void check(ModelConfig config, Map<String, Tensor> inputs, Set<String> outputs) {
    if (outputs.isEmpty()) {
      throw new IllegalArgumentException(
          "no outputs of model '" + config.getName() + "' requested");
    }
    List<Port> ports = ConfigPorts.inputs(config);
    Set<String> taken = ports.stream().map(Port::name).collect(toSet());
    for (String name : inputs.keySet()) {
      if (!taken.contains(name)) {
        throw fault(config, "has no input '" + name + "': it takes " + inputs(config));
      }
    }
    for (int i = 0; i < ports.size(); i++) {
      String name = ports.get(i).name();
      if (inputs.containsKey(name)) {
        check(config, ports.get(i), inputs.get(name));
      } else if (!config.getInput(i).getOptional()) {
        throw fault(config, "lacks its input '" + name + "': it takes " + inputs(config));
      }
    }
    checkOneBatchSize(config, ports, inputs);
    List<String> given = ConfigPorts.outputs(config).stream().map(Port::name).toList();
    for (String name : outputs) {
      if (!given.contains(name)) {
        throw fault(config, "has no output '" + name + "': it gives " + String.join(", ", given));
      }
    }
  }

  /** That {@code where} (a repository, a server) lacks a model; names the nearest it has. */
  public static HarmonicaException unknownModel(
      String where, String model, Collection<String> known) {
    Comparator<String> nearest =
        Comparator.comparingInt((String name) -> -sharedPrefix(name, model))
            .thenComparing(Comparator.naturalOrder());
    List<String> names = known.stream().distinct().sorted(nearest).toList();
    String shown =
        names.isEmpty() ? "no models" : String.join(", ", names.stream().limit(5).toList());
    String more = names.size() > 5 ? " and " + (names.size() - 5) + " more" : "";
    return new HarmonicaException(
        "%s has no model '%s', it has %s%s: name one of these, or export the model into it"
            .formatted(where, model, shown, more));
  }

  private static void check(ModelConfig config, Port input, Tensor tensor) {
    String named = "input '" + input.name() + "'";
    if (tensor.type() != input.type()) {
      throw fault(config, "takes %s as %s, not %s".formatted(named, input.type(), tensor.type()));
    }
    long[] shape = tensor.shape();
    long[] dims = input.shape();
    int batchDims = config.getMaxBatchSize() > 0 ? 1 : 0;
    boolean fits = shape.length == batchDims + dims.length;
    for (int i = 0; fits && i < dims.length; i++) {
      fits = dims[i] == Port.ANY || dims[i] == shape[batchDims + i];
    }
    if (!fits) {
      throw fault(
          config,
          "takes %s in shape %s, not %s"
              .formatted(named, shape(config, input), Arrays.toString(shape)));
    }
    if (batchDims == 1 && (shape[0] < 1 || shape[0] > config.getMaxBatchSize())) {
      throw fault(
          config,
          "takes %s in batches of 1 to %d, not %d: send fewer at once, or export with a larger `maxBatch`"
              .formatted(named, config.getMaxBatchSize(), shape[0]));
    }
  }

  private static void checkOneBatchSize(
      ModelConfig config, List<Port> ports, Map<String, Tensor> inputs) {
    if (config.getMaxBatchSize() == 0) {
      return;
    }
    String first = null;
    for (Port port : ports) {
      String name = port.name();
      if (!inputs.containsKey(name)) {
        continue;
      }
      first = first == null ? name : first;
      long expected = inputs.get(first).shape()[0];
      long found = inputs.get(name).shape()[0];
      if (found != expected) {
        throw fault(
            config,
            "takes inputs of one batch size, not '%s' with %d and '%s' with %d"
                .formatted(first, expected, name, found));
      }
    }
  }

  private static HarmonicaException fault(ModelConfig config, String what) {
    return new HarmonicaException("model '" + config.getName() + "' " + what);
  }

  private static String inputs(ModelConfig config) {
    return ConfigPorts.inputs(config).stream()
        .map(port -> port.name() + " " + port.type() + " " + shape(config, port))
        .collect(joining(", "));
  }

  private static String shape(ModelConfig config, Port input) {
    String batch = config.getMaxBatchSize() > 0 ? "1.." + config.getMaxBatchSize() + " " : "";
    String dims =
        Arrays.stream(input.shape())
            .mapToObj(dim -> dim == Port.ANY ? "any" : Long.toString(dim))
            .collect(joining(" "));
    return "[" + (batch + dims).trim().replace(" ", ", ") + "]";
  }

  private static int sharedPrefix(String a, String b) {
    int length = 0;
    while (length < Math.min(a.length(), b.length()) && a.charAt(length) == b.charAt(length)) {
      length++;
    }
    return length;
  }
}
