package io.harmonica.sampler;

import java.util.List;

/**
 * The cumulative signal share of a schedule with linear betas (Ho et al., arXiv 2006.11239).
 *
 * @param alphaBar {@code alphaBar[t] = prod_{u <= t} (1 - beta_u)}
 */
public record NoiseSchedule(double[] alphaBar) {

  /** The table as the origin of a spacing computes it: diffusers in fp32, OpenAI in fp64. */
  public static NoiseSchedule linear(int timesteps, double start, double end, Spacing spacing) {
    double[] alphaBar = new double[timesteps];
    double product = 1;
    for (int t = 0; t < timesteps; t++) {
      double beta = start + (end - start) * t / (timesteps - 1);
      product =
          spacing.origin() == Spacing.Origin.DIFFUSERS
              ? (float) product * (1f - (float) beta)
              : product * (1 - beta);
      alphaBar[t] = product;
    }
    return new NoiseSchedule(alphaBar);
  }

  /** Signal share after the step at position {@code s}; 1 after the last. */
  double next(List<Integer> timesteps, int s, Spacing spacing) {
    if (spacing == Spacing.LEADING) {
      int next = timesteps.get(s) - alphaBar.length / timesteps.size();
      return next < 0 ? 1 : alphaBar[next];
    }
    return s + 1 == timesteps.size() ? 1 : alphaBar[timesteps.get(s + 1)];
  }
}
