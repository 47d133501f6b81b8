/**
 * Runs the denoising loop with its cached branch outputs, and makes pictures: the Java API.
 *
 * <p>Read {@link io.harmonica.generate.Pipeline} first, which a service embeds, then {@code
 * Trajectory}, the loop itself.
 */
package io.harmonica.generate;
