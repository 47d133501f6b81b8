/**
 * Defines each model once, against an interface of tensor operations that any interpreter fills.
 *
 * <p>Read {@link io.harmonica.model.Denoiser} first, then {@link io.harmonica.model.Dit}, which is
 * a whole model on one page, as {@link io.harmonica.model.PixArt} is; {@link
 * io.harmonica.model.Shapes} is the smallest interpreter.
 */
package io.harmonica.model;
