package io.harmonica.onnx;

import io.harmonica.Element;
import io.harmonica.checkpoint.Half;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;

/**
 * The external data of one or more ONNX files: big initializers, each once, page-aligned so that
 * runtimes map them.
 *
 * <p>All variants of a block refer to one such file. Without a path it only adds up sizes.
 */
public final class WeightFile implements AutoCloseable {
  /** The file's name beside each {@code model.onnx}, as the ONNX files state it. */
  public static final String NAME = "model.onnx.data";

  private static final int ALIGNMENT = 4096;
  private static final int CHUNK_ELEMENTS = 1 << 20;

  /** Where an initializer lies. */
  record Range(long offset, long length) {}

  private final FileChannel channel;
  private final Map<String, Range> ranges = new HashMap<>();
  private long sizeBytes;

  private WeightFile(FileChannel channel) {
    this.channel = channel;
  }

  public static WeightFile create(Path path) throws IOException {
    return new WeightFile(
        FileChannel.open(path, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE));
  }

  /** A file that is never written: for a dry run. */
  public static WeightFile measure() {
    return new WeightFile(null);
  }

  public long sizeBytes() {
    return sizeBytes;
  }

  /** Where what comes after so many bytes begins. */
  public static long aligned(long bytes) {
    return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }

  boolean measures() {
    return channel == null;
  }

  Range find(String name) {
    return ranges.get(name);
  }

  /** Reserves room for an initializer, to be written next. */
  Range reserve(String name, long bytes) {
    long offset = aligned(sizeBytes);
    Range range = new Range(offset, bytes);
    ranges.put(name, range);
    sizeBytes = offset + bytes;
    return range;
  }

  void write(Range range, float[] values, Element as) throws IOException {
    channel.position(range.offset());
    for (int start = 0; start < values.length; start += CHUNK_ELEMENTS) {
      write(bytes(values, start, Math.min(CHUNK_ELEMENTS, values.length - start), as));
    }
  }

  void write(Range range, ByteBuffer bytes) throws IOException {
    channel.position(range.offset());
    write(bytes);
  }

  private void write(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  static ByteBuffer bytes(float[] values, int start, int count, Element as) {
    ByteBuffer bytes = ByteBuffer.allocate((int) as.bytes(count)).order(ByteOrder.LITTLE_ENDIAN);
    if (as == Element.FP32) {
      bytes.asFloatBuffer().put(values, start, count);
      return bytes;
    }
    for (int i = 0; i < count; i++) {
      float value = values[start + i];
      bytes.putShort(
          2 * i, as == Element.BF16 ? Half.bfloatFromFloat(value) : Half.fromFloat(value));
    }
    return bytes;
  }

  @Override
  public void close() throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}
