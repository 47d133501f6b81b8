package io.harmonica.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An MLP of a branch, {@code fc2(gelu(fc1(x)))}: each channel between the two maps is a row of the
 * first and a column of the second, and nothing else knows of it.
 *
 * @param hidden the tensor between, as the second map reads it
 * @param in channels that the first map reads
 * @param out channels that the second one makes
 */
public record Mlp(Site hidden, int in, int out) {

  /**
   * Those of a model, in the order of a pass. No MLPs in this sense are those that read what is
   * between with anything else, as in FLUX's blocks of one stream, where it lies beside attention's
   * output, and gated ones.
   */
  public static List<Mlp> of(Denoiser model) {
    List<Site> sites = Site.of(model);
    Map<String, Site> read = Site.byWeight(sites);
    return sites.stream()
        .filter(site -> site.kind() == Site.Kind.GELU && site.readers().size() == 1)
        .flatMap(
            site ->
                Optional.ofNullable(read.get(site.source() + ".weight"))
                    .map(before -> new Mlp(site, before.in(), site.readers().get(0).out()))
                    .stream())
        .toList();
  }

  /** The first map, without {@code .weight}. */
  public String first() {
    return hidden.source();
  }

  /** The second map's weight. */
  public String second() {
    return hidden.name();
  }

  /** Channels between. */
  public int width() {
    return hidden.in();
  }
}
