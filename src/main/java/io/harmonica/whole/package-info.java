/**
 * Puts a router's whole trajectory, from noise to a picture, into one request. It is an ensemble of
 * all its steps, with small engines around them: export writes it, deployment loads it.
 *
 * <p>Read first: {@link io.harmonica.whole.WholePicture}.
 */
package io.harmonica.whole;
