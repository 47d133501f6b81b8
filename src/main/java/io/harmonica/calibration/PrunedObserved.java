package io.harmonica.calibration;

import io.harmonica.model.Mlp;
import io.harmonica.model.Site;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** What was observed of a model, of those channels that its MLPs keep. */
record PrunedObserved(PrunedMlps mlps, Observed whole) implements Observed {
  @Override
  public Observed requireAllOf(String digest, List<Site> sites) {
    whole.requireAllOf(digest, sites.stream().map(this::before).toList());
    return this;
  }

  @Override
  public Observed requireMoments(List<Site> sites) {
    whole.requireMoments(sites.stream().map(this::before).toList());
    return this;
  }

  @Override
  public float[] largest(Site site) {
    float[] all = whole.largest(before(site));
    return hidden(site).map(mlp -> pick(all, 0, mlps.kept(mlp))).orElse(all);
  }

  @Override
  public Optional<Supplier<float[]>> moment(Site site) {
    Optional<Supplier<float[]>> all = whole.moment(before(site));
    Optional<Mlp> mlp = hidden(site);
    return mlp.isEmpty() ? all : all.map(moment -> () -> within(moment.get(), mlp.get()));
  }

  private float[] within(float[] moment, Mlp mlp) {
    int[] channels = mlps.kept(mlp);
    float[] own = new float[channels.length * channels.length];
    for (int i = 0; i < channels.length; i++) {
      float[] row = pick(moment, channels[i] * mlp.width(), channels);
      System.arraycopy(row, 0, own, i * row.length, row.length);
    }
    return own;
  }

  private static float[] pick(float[] values, int from, int[] channels) {
    float[] own = new float[channels.length];
    for (int i = 0; i < own.length; i++) {
      own[i] = values[from + channels[i]];
    }
    return own;
  }

  private Site before(Site site) {
    return hidden(site).map(Mlp::hidden).orElse(site);
  }

  /** The MLP between whose maps it is. */
  private Optional<Mlp> hidden(Site site) {
    return mlps.of(site.name()).filter(mlp -> mlp.second().equals(site.name()));
  }
}
