/**
 * Measures variants of the same generation against each other: interleaved rounds with statistics,
 * picture quality, and the report of both. Read {@link io.harmonica.compare.Rounds} first, then
 * {@link io.harmonica.compare.Report}.
 */
package io.harmonica.compare;
