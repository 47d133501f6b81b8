package io.harmonica.torch;

import io.harmonica.model.Branch;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import java.util.LinkedHashMap;
import java.util.Map;

/** One pass of a model through any interpreter. */
final class Pass {
  static final String PREDICTION = "prediction";

  private Pass() {}

  /** Every branch's output by its name, and the prediction. */
  static <T> Map<String, T> run(Denoiser model, Ops<T> ops, Map<String, T> inputs) {
    Map<String, T> outputs = new LinkedHashMap<>();
    Map<String, T> embedded = model.embed(ops, inputs);
    T hidden = embedded.get(Denoiser.HIDDEN);
    for (Branch branch : model.branches()) {
      T output = model.branch(ops, branch, hidden, embedded::get);
      outputs.put(branch.name(), output);
      hidden = model.join(ops, branch, hidden, output, embedded::get);
    }
    outputs.put(PREDICTION, model.head(ops, hidden, embedded::get));
    return outputs;
  }
}
