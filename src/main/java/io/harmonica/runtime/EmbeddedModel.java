package io.harmonica.runtime;

import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelEnsembling;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A model of a repository as calls need it, made once from its configuration.
 *
 * @param steps of an ensemble, in turn; an engine has none
 */
record EmbeddedModel(ModelConfig config, List<Turn> steps) {

  /**
   * One model's turn in an ensemble.
   *
   * @param inputs the ensemble's tensor for each of the model's inputs
   * @param outputs the ensemble's tensor for each of the model's outputs
   * @param last of these tensors, those that no later step reads
   */
  record Turn(
      String model, Map<String, String> inputs, Map<String, String> outputs, List<String> last) {}

  static EmbeddedModel of(ModelConfig config) {
    List<ModelEnsembling.Step> stated = config.getEnsembleScheduling().getStepList();
    List<Turn> steps = new ArrayList<>();
    Set<String> later = new HashSet<>();
    for (int i = stated.size() - 1; i >= 0; i--) {
      Map<String, String> inputs = stated.get(i).getInputMapMap();
      Map<String, String> outputs = stated.get(i).getOutputMapMap();
      List<String> last =
          Stream.concat(inputs.values().stream(), outputs.values().stream())
              .filter(later::add)
              .toList();
      steps.add(new Turn(stated.get(i).getModelName(), inputs, outputs, last));
    }
    Collections.reverse(steps);
    return new EmbeddedModel(config, steps);
  }

  String name() {
    return config.getName();
  }

  boolean isEnsemble() {
    return config.hasEnsembleScheduling();
  }
}
