/**
 * Keeps what was observed of a model's activations, and changes weights by it so that fewer bits,
 * or fewer channels, lose less.
 *
 * <p>Read {@link io.harmonica.calibration.Ranges} first, the file, then {@link
 * io.harmonica.calibration.Smoothing}, {@link io.harmonica.calibration.Compensation} and {@link
 * io.harmonica.calibration.Pruning}.
 */
package io.harmonica.calibration;
