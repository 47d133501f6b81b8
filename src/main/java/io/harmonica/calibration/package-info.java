/**
 * Keeps what was observed of a model's activations, and changes weights by it so that fewer bits
 * lose less.
 *
 * <p>Read {@link io.harmonica.calibration.Ranges} first, the file, then {@link
 * io.harmonica.calibration.Smoothing}.
 */
package io.harmonica.calibration;
