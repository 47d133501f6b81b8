/**
 * Trains routers without images: HarmoniCa's step-wise denoising training with its error proxy, and
 * Learning-to-Cache as the baseline.
 *
 * <p>Read {@code Sdt} first, which is the method, then {@code Trainer}, the loop around it.
 */
package io.harmonica.train;
