/**
 * Measures variants of a generation against each other in interleaved rounds, and reports them.
 *
 * <p>Read {@link io.harmonica.compare.Rounds} first, then {@link io.harmonica.compare.Report}; for
 * sets of pictures, {@link io.harmonica.compare.FeatureNetwork} and {@link
 * io.harmonica.compare.Frechet}.
 */
package io.harmonica.compare;
