package io.harmonica.checkpoint;

import com.fasterxml.jackson.core.JsonGenerator;
import io.harmonica.HarmonicaException;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** Writes safetensors files. {@link Checkpoint#open} reads them. */
public final class SafetensorsWriter {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final int ALIGNMENT = 8;

  private SafetensorsWriter() {}

  /**
   * A tensor to write.
   *
   * @param shape dimensions, outermost first
   * @param data its elements, row-major
   */
  public record Floats(List<Long> shape, float[] data) {
    public Floats {
      shape = List.copyOf(shape);
      if (StoredTensor.elements(shape) != data.length) {
        throw new IllegalArgumentException(
            "shape %s does not hold %d elements".formatted(shape, data.length));
      }
    }

    public static Floats of(float[] data, long... shape) {
      return new Floats(Arrays.stream(shape).boxed().toList(), data);
    }
  }

  /** Writes the tensors as F32, in the order of the map; see the last method. */
  public static void write(Path target, Map<String, Floats> tensors) {
    write(target, tensors, DType.F32);
  }

  /** Writes the tensors, and no notes beside them. */
  public static void write(Path target, Map<String, Floats> tensors, DType dtype) {
    write(target, tensors, dtype, Map.of());
  }

  /**
   * Writes the tensors, in the order of the map, to a temporary sibling of the target, and moves it
   * into place; a target that exists is replaced. On failure the target is as it was.
   *
   * @param dtype F32, or F16, which rounds to nearest even
   * @param notes what {@link Checkpoint#metadata} gives again
   * @throws HarmonicaException if the file cannot be written, or a number is too large for F16
   */
  public static void write(
      Path target, Map<String, Floats> tensors, DType dtype, Map<String, String> notes) {
    if (dtype != DType.F32 && dtype != DType.F16) {
      throw new IllegalArgumentException("dtype " + dtype + ", expected F32 or F16");
    }
    Path partial = target.resolveSibling(target.getFileName() + ".partial-" + UUID.randomUUID());
    try {
      try (FileChannel channel =
          FileChannel.open(partial, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        drain(channel, header(tensors, dtype, notes));
        for (Map.Entry<String, Floats> tensor : tensors.entrySet()) {
          writeData(channel, buffer, tensor.getKey(), tensor.getValue().data(), dtype);
        }
        channel.force(true); // a full disk may show only now
      }
      Files.move(
          partial, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new HarmonicaException(
          "%s cannot be written (%s: %s): check that its folder exists and has room"
              .formatted(
                  target,
                  e.getClass().getSimpleName(),
                  Messages.printable(String.valueOf(e.getMessage()))),
          e);
    } finally {
      partial.toFile().delete(); // gone already, or best effort: the first fault matters more
    }
  }

  private static ByteBuffer header(
      Map<String, Floats> tensors, DType dtype, Map<String, String> notes) throws IOException {
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    try (JsonGenerator generator = JsonFile.FACTORY.createGenerator(json)) {
      generator.writeStartObject();
      generator.writeObjectFieldStart("__metadata__");
      generator.writeStringField("format", "pt"); // diffusers reads no other
      for (Map.Entry<String, String> note : notes.entrySet()) {
        generator.writeStringField(note.getKey(), note.getValue());
      }
      generator.writeEndObject();
      long begin = 0;
      for (Map.Entry<String, Floats> tensor : tensors.entrySet()) {
        if (tensor.getKey().equals("__metadata__")) {
          throw new IllegalArgumentException("a tensor cannot be called __metadata__");
        }
        long end = begin + (long) tensor.getValue().data().length * dtype.sizeBytes();
        generator.writeObjectFieldStart(tensor.getKey());
        generator.writeStringField("dtype", dtype.name());
        generator.writeFieldName("shape");
        long[] shape = tensor.getValue().shape().stream().mapToLong(Long::longValue).toArray();
        generator.writeArray(shape, 0, shape.length);
        generator.writeFieldName("data_offsets");
        generator.writeArray(new long[] {begin, end}, 0, 2);
        generator.writeEndObject();
        begin = end;
      }
      generator.writeEndObject();
    }
    while (json.size() % ALIGNMENT != 0) {
      json.write(' ');
    }
    return ByteBuffer.allocate(Long.BYTES + json.size())
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(json.size())
        .put(json.toByteArray())
        .flip();
  }

  private static void writeData(
      FileChannel channel, ByteBuffer buffer, String name, float[] data, DType dtype)
      throws IOException {
    int chunk = buffer.capacity() / dtype.sizeBytes();
    for (int start = 0; start < data.length; start += chunk) {
      int count = Math.min(chunk, data.length - start);
      buffer.clear().limit(count * dtype.sizeBytes());
      if (dtype == DType.F32) {
        buffer.asFloatBuffer().put(data, start, count);
      } else {
        for (int i = 0; i < count; i++) {
          buffer.putShort(i * Short.BYTES, half(name, data[start + i]));
        }
      }
      drain(channel, buffer);
    }
  }

  private static short half(String name, float value) {
    short half = Half.fromFloat(value);
    if (Float.isFinite(value) && !Float.isFinite(Half.toFloat(half))) {
      throw new HarmonicaException(
          "tensor %s holds %s, too large for F16 (at most 65504): write F32"
              .formatted(Messages.quote(name), value));
    }
    return half;
  }

  private static void drain(FileChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }
}
