/**
 * Puts a router's whole trajectory, from noise to a picture, into one request: an ensemble of all
 * its steps, and the small engines around them. Export writes it, deployment loads it.
 *
 * <p>Read first: {@link io.harmonica.whole.WholePicture}.
 */
package io.harmonica.whole;
