/**
 * Keeps what was observed of a model's activations, and changes weights by it so that fewer bits
 * lose less.
 *
 * <p>Read {@link io.harmonica.calibration.Ranges} first, the file, then {@link
 * io.harmonica.calibration.Smoothing} and {@link io.harmonica.calibration.Compensation}.
 */
package io.harmonica.calibration;
