package io.harmonica.repository;

import io.harmonica.model.Denoiser;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import io.harmonica.repository.proto.ModelInput;
import io.harmonica.repository.proto.ModelOutput;
import io.harmonica.repository.proto.ModelParameter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Chains engines to one step of a route, by their configurations alone: so the export makes them,
 * and so does who knows no more than a running server.
 */
public final class Ensemble {
  private Ensemble() {}

  /**
   * The configuration of an ensemble.
   *
   * @param model the base model that it becomes a part of
   * @param engines in order
   * @param branches of the model, whose outputs engines name so
   * @param stored those that a later step reads
   */
  public static ModelConfig of(
      String name,
      String model,
      List<ModelConfig> engines,
      List<String> branches,
      Set<String> stored) {
    Map<String, ModelInput> inputs = new LinkedHashMap<>();
    Map<String, ModelOutput> outputs = new LinkedHashMap<>();
    List<ModelEnsembling.Step.Builder> steps = new ArrayList<>();
    Set<String> made = new HashSet<>();
    int hidden = 0;
    for (ModelConfig engine : engines) {
      ModelEnsembling.Step.Builder step =
          ModelEnsembling.Step.newBuilder().setModelName(engine.getName()).setModelVersion(-1);
      for (ModelInput port : engine.getInputList()) {
        String tensor = port.getName().equals(Denoiser.HIDDEN) ? hidden(hidden) : port.getName();
        step.putInputMap(port.getName(), tensor);
        if (!made.contains(tensor)) {
          inputs.put(tensor, input(tensor, port));
        }
      }
      for (ModelOutput port : engine.getOutputList()) {
        String tensor = port.getName();
        if (tensor.equals(Names.NEXT_HIDDEN)) {
          tensor = hidden(++hidden);
        } else if (tensor.equals(Denoiser.HIDDEN)) {
          tensor = hidden(hidden);
        } else if (tensor.equals(Names.NOISE_PREDICTION)) {
          outputs.put(tensor, output(tensor, port));
        } else if (branches.contains(tensor)) {
          if (!stored.contains(tensor)) {
            continue; // no later step reads it
          }
          outputs.put(tensor, output(tensor, port));
        }
        made.add(tensor);
        step.putOutputMap(port.getName(), tensor);
      }
      steps.add(step);
    }
    return ModelConfig.newBuilder()
        .setName(name)
        .setMaxBatchSize(engines.get(0).getMaxBatchSize())
        .addAllInput(inputs.values())
        .addAllOutput(outputs.values())
        .putParameters(Manifest.PART_OF, ModelParameter.newBuilder().setStringValue(model).build())
        .setPlatform("ensemble")
        .setEnsembleScheduling(withoutUnread(steps, outputs.keySet()))
        .build();
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

  /** Without what a server may have completed. */
  private static ModelInput input(String name, ModelInput port) {
    return ModelInput.newBuilder()
        .setName(name)
        .setDataType(port.getDataType())
        .addAllDims(port.getDimsList())
        .build();
  }

  private static ModelOutput output(String name, ModelOutput port) {
    return ModelOutput.newBuilder()
        .setName(name)
        .setDataType(port.getDataType())
        .addAllDims(port.getDimsList())
        .build();
  }

  private static String hidden(int index) {
    return String.format(Locale.ROOT, "hidden.%02d", index);
  }
}
