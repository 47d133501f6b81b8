package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.TorchTensor.Storage;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code torch.save} wrote: a zip of a pickle and of one entry for each storage. Nothing in it
 * is executed; classes other than tensors and plain containers are refused.
 *
 * <p>Owns the open file; for the mappings see {@link Checkpoint}.
 */
public final class TorchFile implements AutoCloseable {
  private static final String PICKLE = "/data.pkl";
  private static final int LARGEST_PICKLE_BYTES = 2 << 20; // some 15,000 tensors
  private static final int DEEPEST = 64;
  private static final int LONGEST_NAME = 4096;
  private static final int ZIP_START = 0x04034b50;

  private final MappedFile file;
  private final StoredZip zip;
  private final String prefix;
  private final Object root;

  /** By identity: done, or null while under way. What is shared is converted once. */
  private final Map<Object, Object> converted = new IdentityHashMap<>();

  private long copiedBytes;

  private TorchFile(MappedFile file) {
    this.file = file;
    if (file.size() < 4 || file.slice(0, 4, "start").getInt() != ZIP_START) {
      throw new HarmonicaException(
          "%s is no torch file, or one in the format before torch 1.6: load it in Python and save it again: torch.save(torch.load(p, map_location='cpu'), p)"
              .formatted(path()));
    }
    zip = StoredZip.open(file);
    List<String> pickles = zip.names().stream().filter(n -> n.endsWith(PICKLE)).toList();
    if (pickles.size() != 1) {
      throw Messages.damaged(
          path(), "expected one <name>/data.pkl in the zip, found " + pickles.size());
    }
    prefix = pickles.get(0).substring(0, pickles.get(0).length() - PICKLE.length());
    checkByteOrder();
    StoredZip.Range pickle = zip.range(pickles.get(0));
    if (pickle.size() > LARGEST_PICKLE_BYTES) {
      throw new HarmonicaException(
          "%s: data.pkl has %d bytes, at most %d are read: save only the state_dict"
              .formatted(path(), pickle.size(), LARGEST_PICKLE_BYTES));
    }
    root = convert(TorchUnpickler.load(path(), bytes(pickle)), "", 0);
    converted.clear();
  }

  /**
   * Opens a {@code .pt}, {@code .pth} or {@code .bin} file.
   *
   * @throws HarmonicaException if it is no such file, holds anything but tensors and plain data, or
   *     is damaged
   */
  public static TorchFile open(Path path) {
    MappedFile file = MappedFile.open(path);
    try {
      return new TorchFile(file);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  public Path path() {
    return file.path();
  }

  /**
   * The object that was saved: {@code Map<String, Object>} in the saved order (for a dict, with its
   * integer keys as strings, an OrderedDict, an argparse.Namespace or another container of
   * settings), {@code List<Object>} (a list or a tuple), String, Long, Double, Boolean, null, or
   * {@link StoredTensor}, named by its path in the tree, such as {@code
   * ema.blocks.0.attn.qkv.weight}. Unmodifiable.
   */
  public Object root() {
    return root;
  }

  @Override
  public void close() {
    file.close();
  }

  private void checkByteOrder() {
    String name = prefix + "/byteorder";
    if (zip.names().contains(name)) {
      String order = new String(bytes(zip.range(name)), StandardCharsets.US_ASCII);
      if (!order.equals("little")) {
        throw new HarmonicaException(
            "%s has byte order %s, expected 'little': save it again on a little-endian machine"
                .formatted(path(), Messages.quote(order)));
      }
    }
  }

  private byte[] bytes(StoredZip.Range range) {
    byte[] bytes = new byte[(int) Math.min(range.size(), LARGEST_PICKLE_BYTES)];
    file.slice(range.offset(), bytes.length, "zip entry").get(bytes);
    return bytes;
  }

  private Object convert(Object pickled, String where, int depth) {
    Object object = pickled;
    for (int hops = 0; object instanceof PickledSettings.Node node; hops++) {
      if (hops == DEEPEST) {
        throw Messages.damaged(path(), Messages.quote(where) + " contains itself");
      }
      object = node.content();
    }
    if (object == null || object instanceof String || object instanceof Boolean) {
      return object;
    }
    if (object instanceof Double || object instanceof Long) {
      return object;
    }
    if (object instanceof Integer integer) {
      return integer.longValue();
    }
    if (object instanceof TorchTensor
        || object instanceof Map
        || object instanceof List
        || object instanceof Object[]) {
      return convertOnce(object, where, depth);
    }
    throw Messages.damaged(path(), Messages.quote(where) + " is neither a tensor nor plain data");
  }

  private Object convertOnce(Object object, String where, int depth) {
    if (converted.containsKey(object)) {
      Object done = converted.get(object);
      if (done == null) {
        throw Messages.damaged(path(), Messages.quote(where) + " contains itself");
      }
      return done;
    }
    if (depth > DEEPEST || where.length() > LONGEST_NAME) {
      throw Messages.damaged(
          path(),
          "%s is nested too deeply or has too long a name".formatted(Messages.quote(where)));
    }
    converted.put(object, null);
    Object result =
        object instanceof TorchTensor tensor
            ? stored(tensor, where)
            : object instanceof Map<?, ?> map
                ? convertMap(map, where, depth + 1)
                : convertList(
                    object instanceof Object[] tuple ? Arrays.asList(tuple) : (List<?>) object,
                    where,
                    depth + 1);
    converted.put(object, result);
    return result;
  }

  private Map<String, Object> convertMap(Map<?, ?> map, String where, int depth) {
    Map<String, Object> entries = new LinkedHashMap<>();
    map.forEach(
        (key, value) ->
            entries.put((String) key, convert(value, child(where, (String) key), depth)));
    return Collections.unmodifiableMap(entries);
  }

  private List<Object> convertList(List<?> list, String where, int depth) {
    List<Object> items = new ArrayList<>();
    list.forEach(item -> items.add(convert(item, child(where, "" + items.size()), depth)));
    return Collections.unmodifiableList(items);
  }

  private static String child(String parent, String key) {
    return parent.isEmpty() ? key : parent + "." + key;
  }

  private StoredTensor stored(TorchTensor tensor, String name) {
    String where = path() + ": tensor " + Messages.quote(name);
    tensor.check(where);
    Storage storage = tensor.storage();
    int elementBytes = storage.dtype().sizeBytes();
    StoredZip.Range range = zip.range(prefix + "/data/" + storage.key());
    if (storage.elements() > range.size() / elementBytes) {
      throw new HarmonicaException(
          "%s has a storage of %d %s elements, but its %d bytes at byte %d are fewer; the file is damaged: fetch it again"
              .formatted(where, storage.elements(), storage.dtype(), range.size(), range.offset()));
    }
    ByteBuffer data =
        file.slice(
            range.offset() + tensor.offset() * elementBytes,
            tensor.span() * elementBytes,
            "tensor " + Messages.quote(name));
    return new StoredTensor(
        name,
        storage.dtype(),
        tensor.shape(),
        tensor.contiguous() ? data : inOrder(tensor, data, where));
  }

  /** A copy in row-major order, for transposed tensors and the like. */
  private ByteBuffer inOrder(TorchTensor tensor, ByteBuffer data, String where) {
    int elementBytes = tensor.storage().dtype().sizeBytes();
    long bytes = StoredTensor.elements(tensor.shape()) * elementBytes;
    copiedBytes += bytes;
    if (bytes > data.remaining() || copiedBytes > file.size()) { // an expanded tensor could be huge
      throw new HarmonicaException(
          "%s repeats elements of its storage: save it with .contiguous()".formatted(where));
    }
    int rank = tensor.shape().size();
    long[] index = new long[rank];
    ByteBuffer copy = ByteBuffer.allocate((int) bytes).order(ByteOrder.LITTLE_ENDIAN);
    while (copy.hasRemaining()) {
      long element = 0;
      for (int d = 0; d < rank; d++) {
        element += index[d] * tensor.stride().get(d);
      }
      for (int b = 0; b < elementBytes; b++) {
        copy.put(data.get((int) element * elementBytes + b));
      }
      for (int d = rank - 1; d >= 0 && ++index[d] == tensor.shape().get(d); d--) {
        index[d] = 0;
      }
    }
    return copy.flip().asReadOnlyBuffer();
  }
}
