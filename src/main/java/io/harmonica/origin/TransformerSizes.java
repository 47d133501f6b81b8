package io.harmonica.origin;

/**
 * The numbers that make a transformer of its kind.
 *
 * @param size height and width of a sample as trained, in elements
 */
record TransformerSizes(
    int heads, int width, int depth, int patch, int channels, int outputChannels, int size) {}
