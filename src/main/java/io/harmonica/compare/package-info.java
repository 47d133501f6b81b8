/**
 * Measures variants of a generation against each other in interleaved rounds, and reports them.
 *
 * <p>Read {@link io.harmonica.compare.Comparison} first, then {@link io.harmonica.compare.Rounds},
 * which measures, and {@link io.harmonica.compare.Report}, which tells; for sets of pictures,
 * {@link io.harmonica.features.FeatureNetwork} and {@link io.harmonica.features.Frechet}.
 */
package io.harmonica.compare;
