/**
 * Walks a batch through a trajectory on libtorch, with any branch output replaced by another: what
 * training and search both do.
 *
 * <p>Read {@link io.harmonica.train.trajectory.Denoising} first, the passes of the model, then
 * {@link io.harmonica.train.trajectory.Walk}.
 */
package io.harmonica.train.trajectory;
