package io.harmonica.calibration;

import io.harmonica.model.ChangedWeights;
import io.harmonica.model.Mlp;
import io.harmonica.model.Weights;
import java.util.Optional;

/** A model's parameters without the channels that MLPs do not keep. */
record PrunedWeights(PrunedMlps mlps, Weights exact) implements ChangedWeights {
  @Override
  public void require(String name, long... shape) {
    exact.require(name, mlps.of(name).map(mlp -> whole(mlp, name, shape)).orElse(shape));
  }

  @Override
  public float[] read(String name, long... shape) {
    Optional<Mlp> mlp = mlps.of(name);
    if (mlp.isEmpty()) {
      return exact.read(name, shape);
    }
    return name.equals(mlp.get().second())
        ? mlps.second(mlp.get()).clone()
        : rows(exact.read(name, whole(mlp.get(), name, shape)), mlps.kept(mlp.get()), mlp.get());
  }

  /** The shape of a parameter before it was pruned. */
  private static long[] whole(Mlp mlp, String name, long... shape) {
    long[] whole = shape.clone();
    whole[name.equals(mlp.second()) ? 1 : 0] = mlp.width();
    return whole;
  }

  /** Of the first map's weight or bias. */
  private static float[] rows(float[] values, int[] kept, Mlp mlp) {
    int row = values.length / mlp.width();
    float[] own = new float[kept.length * row];
    for (int i = 0; i < kept.length; i++) {
      System.arraycopy(values, kept[i] * row, own, i * row, row);
    }
    return own;
  }
}
