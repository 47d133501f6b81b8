/**
 * Holds what every package shares: the exception for faults that a reader can mend, the ports of a
 * model, and files written whole or not at all.
 *
 * <p>Read {@link io.harmonica.HarmonicaException} first. The other packages are listed in the
 * README, in an order in which each uses only those above it.
 */
package io.harmonica;
