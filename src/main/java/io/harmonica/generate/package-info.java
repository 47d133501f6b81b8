/**
 * Runs the denoising loop, in which branch outputs are computed or taken from the cache, and makes
 * pictures: the Java API.
 *
 * <p>Read {@link io.harmonica.generate.Pipeline} first, which a service embeds, then {@code
 * Trajectory}, the loop itself.
 */
package io.harmonica.generate;
