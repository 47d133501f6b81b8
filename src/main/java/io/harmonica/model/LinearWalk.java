package io.harmonica.model;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A walk over a model's definition that finds its linear maps, and what those in branches read. */
final class LinearWalk extends Forwarding<long[]> {
  private static final String WEIGHT = ".weight";

  private final Set<String> vectors = new HashSet<>();
  private final List<Reads> reads = new ArrayList<>();
  private Map<long[], Made> made = new IdentityHashMap<>(); // in this branch
  private Map<long[], Reads> known = new IdentityHashMap<>();
  private boolean inBranch;

  /** What an operation made a tensor of. */
  private record Made(Step step, String name) {}

  private enum Step {
    NORMAL,
    SCALED,
    MODULATED,
    NORM,
    LINEAR,
    ATTENTION,
    GELU,
    OTHER
  }

  private record Reads(List<Site.Reader> readers, int in, Made of) {}

  private LinearWalk() {
    super(new Shapes(Weights.NONE));
  }

  static LinearWalk of(Denoiser model) {
    LinearWalk ops = new LinearWalk();
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
          ops.made = new IdentityHashMap<>();
          ops.known = new IdentityHashMap<>();
          ops.inBranch = true;
          long[] output = computed.get();
          ops.inBranch = false;
          return Term.of(output.clone());
        });
    return ops;
  }

  List<Site> sites() {
    return reads.stream().map(LinearWalk::site).toList();
  }

  private static Site site(Reads of) {
    Site.Kind kind = Site.Kind.GIVEN;
    if (of.of != null) {
      kind =
          switch (of.of.step) {
            case MODULATED -> Site.Kind.MODULATED;
            case NORM -> Site.Kind.NORM;
            case ATTENTION -> of.of.name.isEmpty() ? Site.Kind.MADE : Site.Kind.VALUES;
            case GELU -> of.of.name.isEmpty() ? Site.Kind.MADE : Site.Kind.GELU;
            default -> Site.Kind.MADE;
          };
    }
    boolean named = kind.isOfWeights() || kind == Site.Kind.GELU;
    return new Site(of.readers, of.in, kind, named ? of.of.name : "");
  }

  /** Weights of the maps that make several vectors of one a picture. */
  Set<String> vectors() {
    return vectors;
  }

  @Override
  public long[] linear(long[] x, String name, int in, int out) {
    read(x, name + WEIGHT, in, out);
    return made(super.linear(x, name, in, out), Step.LINEAR, name);
  }

  @Override
  public long[] project(long[] x, String name, int in, int out) {
    read(x, name, in, out);
    String map = name.endsWith(WEIGHT) ? name.substring(0, name.length() - WEIGHT.length()) : "";
    return made(super.project(x, name, in, out), Step.LINEAR, map);
  }

  private void read(long[] x, String weight, int in, int out) {
    if (inBranch) {
      known
          .computeIfAbsent(
              x,
              one -> {
                Reads first = new Reads(new ArrayList<>(), in, made.get(x));
                reads.add(first);
                return first;
              })
          .readers
          .add(new Site.Reader(weight, out));
    } else if (x.length == 2 && out > 2 * in) {
      vectors.add(weight);
    }
  }

  @Override
  public long[] layerNorm(long[] x, int width, double eps) {
    return made(super.layerNorm(x, width, eps), Step.NORMAL, "");
  }

  @Override
  public long[] layerNorm(long[] x, String name, int width, double eps) {
    return made(super.layerNorm(x, name, width, eps), Step.NORM, name);
  }

  @Override
  public long[] mul(long[] a, long[] b) {
    return made(super.mul(a, b), is(a, Step.NORMAL) ? Step.SCALED : Step.OTHER, "");
  }

  @Override
  public long[] add(long[] a, long[] b) {
    return made(super.add(a, b), is(a, Step.SCALED) ? Step.MODULATED : Step.OTHER, "");
  }

  @Override
  public long[] attention(long[] q, long[] k, long[] v, int heads, int width) {
    return made(super.attention(q, k, v, heads, width), Step.ATTENTION, map(v));
  }

  @Override
  public long[] attention(long[] q, long[] k, long[] v, long[] bias, int heads, int width) {
    return made(super.attention(q, k, v, bias, heads, width), Step.ATTENTION, map(v));
  }

  /** The map that made a tensor; none where it is of several. */
  private String map(long[] x) {
    return is(x, Step.LINEAR) ? made.get(x).name : "";
  }

  @Override
  public long[] gelu(long[] x, Gelu gelu) {
    return made(super.gelu(x, gelu), Step.GELU, map(x));
  }

  @Override
  public long[] silu(long[] x) {
    return made(super.silu(x), Step.OTHER, "");
  }

  @Override
  public long[] rmsNorm(long[] x, String name, int width, double eps) {
    return made(super.rmsNorm(x, name, width, eps), Step.OTHER, "");
  }

  @Override
  public long[] slice(long[] x, int axis, long from, long to) {
    return made(super.slice(x, axis, from, to), Step.OTHER, "");
  }

  @Override
  public long[] concat(int axis, List<long[]> parts) {
    return made(super.concat(axis, parts), Step.OTHER, "");
  }

  private boolean is(long[] x, Step step) {
    Made known = made.get(x);
    return known != null && known.step == step;
  }

  /** A shape of its own: {@link Shapes} gives an operand's where nothing changes. */
  private long[] made(long[] shape, Step step, String name) {
    long[] own = shape.clone();
    made.put(own, new Made(step, name));
    return own;
  }
}
