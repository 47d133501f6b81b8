package io.harmonica;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.SafetensorsWriter;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Real checkpoints for tests, and changed copies of them. */
public final class Checkpoints {
  /** Three blocks, 32 wide, in diffusers' layout. */
  public static final Path DIT = Path.of("tests/golden/dit");

  /** The same in facebook's. */
  public static final Path DIT_FACEBOOK = Path.of("tests/golden/dit-facebook/model.pt");

  /** Two blocks, 24 wide, for texts 20 wide. */
  public static final Path PIXART = Path.of("tests/golden/pixart/alpha-256-like");

  /** Five blocks, 36 wide, of 3 heads, that take any time. */
  public static final Path UVIT = Path.of("tests/golden/uvit/class-noconv/model.pth");

  /** The shipped example. */
  public static final Path SHAPES = Path.of("export/shapes-dit");

  private static final ObjectMapper JSON = new ObjectMapper();

  private Checkpoints() {}

  public static Map<String, Floats> tensors(Path checkpoint) {
    Map<String, Floats> tensors = new LinkedHashMap<>();
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      for (String name : source.names()) {
        tensors.put(name, new Floats(source.tensor(name).shape(), source.tensor(name).floats()));
      }
    }
    return tensors;
  }

  /** The same tensors with something before every name. */
  public static Map<String, Floats> prefixed(String prefix, Map<String, Floats> tensors) {
    Map<String, Floats> prefixed = new LinkedHashMap<>();
    tensors.forEach((name, tensor) -> prefixed.put(prefix + name, tensor));
    return prefixed;
  }

  public static ObjectNode config(Path checkpoint) {
    try {
      return (ObjectNode) JSON.readTree(checkpoint.resolve("config.json").toFile());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Writes a PixArt that takes texts of another width than the golden one. */
  public static Path pixArt(Path folder, int textWidth) {
    Map<String, Floats> weights = tensors(PIXART);
    Floats own = weights.get("caption_projection.linear_1.weight");
    int width = Math.toIntExact(own.shape().get(0));
    float[] other = new float[width * textWidth];
    for (int i = 0; i < other.length; i++) {
      other[i] = own.data()[i % own.data().length];
    }
    weights.put("caption_projection.linear_1.weight", Floats.of(other, width, textWidth));
    return diffusers(folder, config(PIXART).put("caption_channels", textWidth), weights);
  }

  /** Writes a folder in diffusers' layout. */
  public static Path diffusers(Path folder, ObjectNode config, Map<String, Floats> tensors) {
    try {
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), config.toString());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    SafetensorsWriter.write(folder.resolve("diffusion_pytorch_model.safetensors"), tensors);
    return folder;
  }

  /** Writes a file of zeros in these shapes, fp32, which takes next to no disk. */
  public static Path hollow(Path file, Map<String, List<Long>> shapes) {
    ObjectNode header = JSON.createObjectNode();
    long end = 0;
    for (Map.Entry<String, List<Long>> tensor : shapes.entrySet()) {
      ObjectNode entry = header.putObject(tensor.getKey()).put("dtype", "F32");
      tensor.getValue().forEach(entry.putArray("shape")::add);
      long start = end;
      end += 4 * tensor.getValue().stream().reduce(1L, Math::multiplyExact);
      entry.putArray("data_offsets").add(start).add(end);
    }
    byte[] json = header.toString().getBytes(StandardCharsets.UTF_8);
    ByteBuffer length = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
    try (RandomAccessFile out = new RandomAccessFile(file.toFile(), "rw")) {
      out.write(length.putLong(0, json.length).array());
      out.write(json);
      out.setLength(8 + json.length + end);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return file;
  }

  /** Writes a file without a configuration, which makes it one of facebook's. */
  public static Path facebook(Path folder, Map<String, Floats> tensors) {
    Path file = folder.resolve("model.safetensors");
    SafetensorsWriter.write(file, tensors);
    return file;
  }
}
