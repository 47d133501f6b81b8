package io.harmonica.generate;

import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;

/**
 * A finished generation. Immutable, but for the array of its latents, which is the caller's.
 *
 * @param latents a sample for each picture, in the request's order: {@link Pipeline#decode} makes
 *     pixels of them, {@link Pictures} images of those
 * @param elapsedNanos wall time of the whole call
 * @param runtimeNanos of it, the time inside the runtime; the rest is the loop's own
 * @param peakCacheBytes most bytes of cached branch outputs at any moment
 */
public record Result(Latents latents, long elapsedNanos, long runtimeNanos, long peakCacheBytes) {}
