/**
 * Measures sets of pictures by what a network sees in them: features, classes, and the Fréchet
 * distance.
 *
 * <p>Read {@link io.harmonica.features.FeatureNetwork} first, then {@link
 * io.harmonica.features.Frechet}.
 */
package io.harmonica.features;
