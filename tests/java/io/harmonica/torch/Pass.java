package io.harmonica.torch;

import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import java.util.LinkedHashMap;
import java.util.Map;

/** One pass of a model through any interpreter. */
final class Pass {
  static final String PREDICTION = "prediction";

  private Pass() {}

  /** Every branch's output by its name, and the prediction. */
  static <T> Map<String, T> run(Denoiser model, Ops<T> ops, Map<String, T> inputs) {
    Map<String, T> outputs = new LinkedHashMap<>();
    Map<String, T> conditions = model.condition(ops, inputs::get);
    Streams<T> streams = model.begin(ops, inputs.get(Denoiser.SAMPLE), conditions::get);
    streams =
        model.blocks(
            ops,
            0,
            model.branches().size(),
            streams,
            conditions::get,
            (branch, computed) -> {
              T output = computed.get();
              outputs.put(model.branches().get(branch).name(), output);
              return Term.of(output);
            });
    outputs.put(PREDICTION, model.head(ops, streams, conditions::get));
    return outputs;
  }
}
