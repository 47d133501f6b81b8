package io.harmonica.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The table of contents of a safetensors file, checked so that no tensor can lie about its bytes.
 *
 * <p>A file is: the header's length (8 bytes, little-endian), the header (JSON: name to {@code
 * dtype}, {@code shape}, {@code data_offsets}), the data. The tensors fill the data without holes
 * and without overlaps.
 */
final class SafetensorsHeader {
  private static final int LENGTH_BYTES = Long.BYTES;
  private static final long LARGEST_HEADER_BYTES = 100_000_000; // the format's own limit

  /** Where a tensor lies: {@code [begin, end)} are bytes of the file. */
  record Entry(DType dtype, List<Long> shape, long begin, long end) {}

  private final Path path;
  private final long dataStart;
  private final long fileSize;
  private final Map<String, Entry> entries = new LinkedHashMap<>();
  private final Map<String, String> metadata = new LinkedHashMap<>();

  private SafetensorsHeader(Path path, long dataStart, long fileSize) {
    this.path = path;
    this.dataStart = dataStart;
    this.fileSize = fileSize;
  }

  static SafetensorsHeader read(MappedFile file) {
    Path path = file.path();
    if (file.size() < LENGTH_BYTES) {
      throw Messages.damaged(
          path,
          "has %d bytes, expected a safetensors file, which starts with an 8-byte header length"
              .formatted(file.size()));
    }
    long length = file.slice(0, LENGTH_BYTES, "header length").getLong();
    long longest = Math.min(LARGEST_HEADER_BYTES, file.size() - LENGTH_BYTES);
    if (length < 0 || length > longest) {
      throw Messages.damaged(
          path,
          "the header length at byte 0 is %s, expected at most %d"
              .formatted(Long.toUnsignedString(length), longest));
    }
    ByteBuffer bytes = file.slice(LENGTH_BYTES, length, "header");
    byte[] json = new byte[bytes.remaining()];
    bytes.get(json);
    SafetensorsHeader header = new SafetensorsHeader(path, LENGTH_BYTES + length, file.size());
    try (JsonParser parser = JsonFile.FACTORY.createParser(json)) {
      header.parse(parser);
    } catch (JsonProcessingException e) {
      throw JsonFile.notJson(path, LENGTH_BYTES, e);
    } catch (IOException e) {
      throw Messages.unreadable(path, e);
    }
    header.checkLayout();
    return header;
  }

  /** The entries by name, in the order of the header. */
  Map<String, Entry> entries() {
    return entries;
  }

  /** What its writer noted. */
  Map<String, String> metadata() {
    return metadata;
  }

  private void parse(JsonParser parser) throws IOException {
    expect(parser, parser.nextToken(), JsonToken.START_OBJECT, "the header");
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      JsonToken value = parser.nextToken();
      if (name.equals("__metadata__")) {
        expect(parser, value, JsonToken.START_OBJECT, "__metadata__");
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String key = parser.currentName();
          expect(parser, parser.nextToken(), JsonToken.VALUE_STRING, "__metadata__ value");
          metadata.put(key, parser.getText());
        }
      } else {
        expect(parser, value, JsonToken.START_OBJECT, "tensor " + Messages.quote(name));
        entries.put(name, entry(parser, name));
      }
    }
    if (parser.nextToken() != null) {
      throw misplaced(parser, "the end of the header", String.valueOf(parser.currentToken()));
    }
  }

  private Entry entry(JsonParser parser, String name) throws IOException {
    String tensor = "tensor " + Messages.quote(name);
    DType dtype = null;
    List<Long> shape = null;
    List<Long> offsets = null;
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String field = parser.currentName();
      JsonToken value = parser.nextToken();
      switch (field) {
        case "dtype" -> {
          expect(parser, value, JsonToken.VALUE_STRING, tensor + " dtype");
          dtype = dtype(tensor, parser.getText());
        }
        case "shape" -> shape = integers(parser, tensor + " shape");
        case "data_offsets" -> offsets = integers(parser, tensor + " data_offsets");
        default -> parser.skipChildren(); // the format allows more fields
      }
    }
    if (dtype == null || shape == null || offsets == null) {
      String missing = dtype == null ? "dtype" : shape == null ? "shape" : "data_offsets";
      throw Messages.damaged(path, tensor + " has no " + missing);
    }
    return entry(tensor, dtype, shape, offsets);
  }

  private Entry entry(String tensor, DType dtype, List<Long> shape, List<Long> offsets) {
    if (offsets.size() != 2) {
      throw Messages.damaged(path, tensor + " data_offsets: expected [begin, end]");
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    if (begin < 0 || begin > end || end > fileSize - dataStart) {
      throw Messages.damaged(
          path,
          "%s has data_offsets [%d, %d], expected 0 <= begin <= end <= %d, for its data start at byte %d"
              .formatted(tensor, begin, end, fileSize - dataStart, dataStart));
    }
    long bytes;
    try {
      bytes = Math.multiplyExact(StoredTensor.elements(shape), dtype.sizeBytes());
    } catch (ArithmeticException e) {
      throw Messages.damaged(
          path, "%s has an impossible shape %s".formatted(tensor, brief(shape)), e);
    }
    if (bytes != end - begin) {
      throw Messages.damaged(
          path,
          "%s of %s %s takes %d bytes, but data_offsets [%d, %d], at byte %d, give it %d"
              .formatted(
                  tensor, dtype, brief(shape), bytes, begin, end, dataStart + begin, end - begin));
    }
    return new Entry(dtype, List.copyOf(shape), dataStart + begin, dataStart + end);
  }

  private DType dtype(String tensor, String name) {
    try {
      return DType.valueOf(name);
    } catch (IllegalArgumentException e) {
      throw new HarmonicaException(
          "%s: %s has dtype %s, expected one of %s: convert the checkpoint"
              .formatted(path, tensor, Messages.quote(name), Arrays.toString(DType.values())),
          e);
    }
  }

  private List<Long> integers(JsonParser parser, String what) throws IOException {
    expect(parser, parser.currentToken(), JsonToken.START_ARRAY, what);
    List<Long> integers = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      expect(parser, parser.currentToken(), JsonToken.VALUE_NUMBER_INT, what);
      if (parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER) {
        throw misplaced(parser, what + " below 2^63", Messages.printable(parser.getText()));
      }
      integers.add(parser.getLongValue());
    }
    return integers;
  }

  /** Every byte of the data belongs to exactly one tensor. */
  private void checkLayout() {
    List<Map.Entry<String, Entry>> ordered = new ArrayList<>(entries.entrySet());
    ordered.sort(
        Comparator.<Map.Entry<String, Entry>>comparingLong(e -> e.getValue().begin())
            .thenComparingLong(e -> e.getValue().end()));
    long covered = dataStart;
    String last = "the header";
    for (Map.Entry<String, Entry> next : ordered) {
      String name = Messages.quote(next.getKey());
      long begin = next.getValue().begin();
      if (begin != covered) {
        throw Messages.damaged(
            path,
            "tensor %s starts at byte %d, but %s ends at byte %d: %s"
                .formatted(name, begin, last, covered, begin < covered ? "an overlap" : "a hole"));
      }
      covered = next.getValue().end();
      last = name;
    }
    if (covered != fileSize) {
      throw Messages.damaged(
          path,
          "%s ends at byte %d, but the file has %d bytes: a hole"
              .formatted(last, covered, fileSize));
    }
  }

  private void expect(JsonParser parser, JsonToken found, JsonToken expected, String what) {
    if (found != expected) {
      throw misplaced(parser, what + " as " + expected, String.valueOf(found));
    }
  }

  private HarmonicaException misplaced(JsonParser parser, String expected, String found) {
    long offset = LENGTH_BYTES + parser.currentTokenLocation().getByteOffset();
    return Messages.damaged(
        path, "expected %s near byte %d, found %s".formatted(expected, offset, found));
  }

  private static String brief(List<Long> shape) {
    return Messages.printable(shape.toString());
  }
}
