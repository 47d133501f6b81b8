/**
 * Measures variants of a generation against each other in interleaved rounds, and reports them.
 *
 * <p>Read {@link io.harmonica.compare.Rounds} first, then {@link io.harmonica.compare.Report}.
 */
package io.harmonica.compare;
