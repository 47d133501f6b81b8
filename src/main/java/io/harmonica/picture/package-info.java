/**
 * Makes what people look at: pixels of samples as PNG files and contact sheets, routers as heat
 * maps.
 *
 * <p>Read {@link io.harmonica.picture.Latents} first, the samples of a trajectory, then {@link
 * io.harmonica.picture.Pictures}.
 */
package io.harmonica.picture;
