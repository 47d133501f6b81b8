package io.harmonica.checkpoint;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * A tensor as a file holds it: little-endian, row-major, usually a view of a mapped file.
 *
 * @param name its name in the file
 * @param shape its dimensions, outermost first
 * @param data exactly {@code elements * dtype.sizeBytes()} bytes, valid until the checkpoint closes
 */
public record StoredTensor(String name, DType dtype, List<Long> shape, ByteBuffer data) {}
