package io.harmonica.model;

import java.util.Map;

/**
 * An interpreter for which some linear maps have fewer channels than the model's definition says:
 * in and out, by their weights' names.
 */
final class NarrowedOps<T> extends Forwarding<T> {
  private final Map<String, Integer> ins;
  private final Map<String, Integer> outs;

  NarrowedOps(Ops<T> ops, Map<String, Integer> ins, Map<String, Integer> outs) {
    super(ops);
    this.ins = ins;
    this.outs = outs;
  }

  @Override
  public T linear(T x, String name, int in, int out) {
    String weight = name + ".weight";
    return super.linear(x, name, ins.getOrDefault(weight, in), outs.getOrDefault(weight, out));
  }

  @Override
  public T project(T x, String name, int in, int out) {
    return super.project(x, name, ins.getOrDefault(name, in), outs.getOrDefault(name, out));
  }
}
