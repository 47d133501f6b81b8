package io.harmonica.model;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * A model of whose MLPs some have fewer channels between their two maps; all else is the model's
 * own, its name for routers too.
 */
public final class Narrowed implements Denoiser {
  private final Denoiser whole;
  private final Map<String, Integer> in = new HashMap<>(); // by weight, as out
  private final Map<String, Integer> out = new HashMap<>();

  /**
   * Of a model.
   *
   * @param widths channels that are left
   */
  public Narrowed(Denoiser whole, Map<Mlp, Integer> widths) {
    this.whole = whole;
    widths.forEach(
        (mlp, width) -> {
          out.put(mlp.first() + ".weight", width);
          in.put(mlp.second(), width);
        });
  }

  @Override
  public Denoiser whole() {
    return whole;
  }

  @Override
  public String architecture() {
    return whole.architecture();
  }

  @Override
  public Interface io() {
    return whole.io();
  }

  @Override
  public boolean takesSkipLayers() {
    return whole.takesSkipLayers();
  }

  @Override
  public List<Branch> branches() {
    return whole.branches();
  }

  @Override
  public <T> Map<String, Supplier<T>> conditions(Ops<T> ops, Conditioning<T> inputs) {
    return whole.conditions(ops, inputs);
  }

  @Override
  public <T> Streams<T> begin(Ops<T> ops, T sample, Conditioning<T> conditioning) {
    return whole.begin(ops, sample, conditioning);
  }

  @Override
  public <T> Streams<T> enter(
      Ops<T> ops, int block, Streams<T> streams, Conditioning<T> conditioning) {
    return whole.enter(ops, block, streams, conditioning);
  }

  @Override
  public <T> T branch(Ops<T> ops, Branch branch, Streams<T> streams, Conditioning<T> conditioning) {
    return whole.branch(new NarrowedOps<>(ops, in, out), branch, streams, conditioning);
  }

  @Override
  public <T> Streams<T> join(
      Ops<T> ops,
      Branch branch,
      Streams<T> streams,
      List<Term<T>> terms,
      Conditioning<T> conditioning) {
    return whole.join(ops, branch, streams, terms, conditioning);
  }

  @Override
  public <T> T head(Ops<T> ops, Streams<T> streams, Conditioning<T> conditioning) {
    return whole.head(ops, streams, conditioning);
  }
}
