package io.harmonica.model;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * The linear maps of a model that are in 8 bits where its precision is int8, by the names of their
 * weights. All others, as embeddings of pictures and texts, long skips and the head, stay as they
 * are: they are few, and an error there goes straight into the stream.
 *
 * @param tokens those that branches consist of, nine tenths of the time: what they read is in 8
 *     bits too
 * @param vectors those that make several vectors of one a picture, as the modulation of blocks: up
 *     to a third of the weights and hardly any time; a vector in 8 bits would cost 4 dB, so it has
 *     16
 */
public record Int8Maps(Set<String> tokens, Set<String> vectors) {

  /** Finds them by a walk over the model's definition. */
  public static Int8Maps of(Denoiser model) {
    Walk ops = new Walk();
    Map<String, long[]> inputs = new HashMap<>();
    model.io().conditions().forEach(port -> inputs.put(port.name(), port.batched(1)));
    Map<String, long[]> conditions = model.condition(ops, inputs::get);
    Streams<long[]> begun = model.begin(ops, model.io().sample().batched(1), conditions::get);
    model.blocks(
        ops,
        0,
        model.branches().size(),
        begun,
        conditions::get,
        (branch, computed) -> {
          ops.inBranch = true;
          long[] output = computed.get();
          ops.inBranch = false;
          return Term.of(output);
        });
    return new Int8Maps(Set.copyOf(ops.tokens), Set.copyOf(ops.vectors));
  }

  /** Whether a weight is in 8 bits. */
  public boolean contains(String weight) {
    return tokens.contains(weight) || vectors.contains(weight);
  }

  private static final class Walk extends Forwarding<long[]> {
    private final Set<String> tokens = new HashSet<>();
    private final Set<String> vectors = new HashSet<>();
    private boolean inBranch;

    Walk() {
      super(new Shapes(Weights.NONE));
    }

    @Override
    public long[] linear(long[] x, String name, int in, int out) {
      note(x, name + ".weight", in, out);
      return super.linear(x, name, in, out);
    }

    @Override
    public long[] project(long[] x, String name, int in, int out) {
      note(x, name, in, out);
      return super.project(x, name, in, out);
    }

    private void note(long[] x, String weight, int in, int out) {
      if (inBranch) {
        tokens.add(weight);
      } else if (x.length == 2 && out > 2 * in) {
        vectors.add(weight);
      }
    }
  }
}
