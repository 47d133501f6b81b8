package io.harmonica.generate;

/**
 * A finished generation.
 *
 * @param elapsedNanos wall time of the whole call
 * @param runtimeNanos of it, the time inside the runtime; the rest is the loop's own
 * @param peakCacheBytes most bytes of cached branch outputs at any moment
 */
public record Result(Latents latents, long elapsedNanos, long runtimeNanos, long peakCacheBytes) {}
