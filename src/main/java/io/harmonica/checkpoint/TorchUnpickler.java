package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.TorchTensor.Storage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.razorvine.pickle.IObjectConstructor;
import net.razorvine.pickle.Opcodes;
import net.razorvine.pickle.PickleException;
import net.razorvine.pickle.PickleUtils;
import net.razorvine.pickle.Unpickler;

/**
 * Rebuilds what {@code torch.save} pickles, and nothing else.
 *
 * <p>Every opcode that could reach a class is handled here, every opcode that torch does not write
 * is refused: the library's own registry of constructors is never asked, and nothing is allocated
 * beyond what the bytes themselves hold. The result consists of {@link Map} with String keys,
 * {@link List}, {@code Object[]} (a tuple), numbers, strings, booleans, null, {@link TorchTensor}
 * and {@link PickledSettings.Node}; what is shared in the pickle is shared in it.
 */
final class TorchUnpickler extends Unpickler {
  private static final int MOST_DIMENSIONS = 8;

  private static final Map<String, DType> STORAGES =
      Map.of(
          "torch.DoubleStorage", DType.F64,
          "torch.FloatStorage", DType.F32,
          "torch.HalfStorage", DType.F16,
          "torch.BFloat16Storage", DType.BF16,
          "torch.LongStorage", DType.I64,
          "torch.IntStorage", DType.I32,
          "torch.ShortStorage", DType.I16,
          "torch.CharStorage", DType.I8,
          "torch.ByteStorage", DType.U8,
          "torch.BoolStorage", DType.BOOL);

  /** The calls that make tensors; {@link PickledSettings} knows the others. */
  private static final Map<String, IObjectConstructor> CALLS =
      Map.of(
          "torch.Size", args -> arguments(args, 1)[0],
          "torch._utils._rebuild_tensor_v2", TorchUnpickler::rebuildTensor,
          "torch._utils._rebuild_parameter", args -> arguments(args, 3)[0]);

  private final Path path;
  private final int size;

  private TorchUnpickler(Path path, int size) {
    this.path = path;
    this.size = size;
  }

  /** The object that {@code pickle}, the {@code data.pkl} of the torch file {@code path}, holds. */
  static Object load(Path path, byte[] pickle) {
    TorchUnpickler unpickler = new TorchUnpickler(path, pickle.length);
    ByteArrayInputStream bytes = new ByteArrayInputStream(pickle);
    try {
      return unpickler.load(bytes);
    } catch (HarmonicaException e) {
      throw e;
    } catch (IOException | RuntimeException e) { // the library's casts and index errors included
      String what = Messages.printable(String.valueOf(e.getMessage()));
      throw Messages.damaged(
          path, "data.pkl is broken before its byte %d: %s".formatted(unpickler.offset(), what), e);
    }
  }

  @Override
  protected Object dispatch(short opcode) throws IOException {
    switch (opcode) {
      case Opcodes.GLOBAL -> {
        String module = PickleUtils.readline(input);
        stack.add(global(module + "." + PickleUtils.readline(input)));
      }
      case Opcodes.STACK_GLOBAL -> {
        String name = (String) stack.pop();
        stack.add(global(stack.pop() + "." + name));
      }
      case Opcodes.BUILD -> build();
      case Opcodes.EMPTY_DICT -> stack.add(new LinkedHashMap<String, Object>());
      case Opcodes.SETITEM -> {
        Object value = stack.pop();
        putAll(Arrays.asList(stack.pop(), value));
      }
      case Opcodes.SETITEMS -> putAll(stack.pop_all_since_marker());
      case Opcodes.BINUNICODE -> {
        input.mark(Integer.BYTES);
        int length = PickleUtils.bytes_to_integer(PickleUtils.readbytes(input, Integer.BYTES));
        if (length < 0 || length > input.available()) {
          throw new PickleException("a string of " + Integer.toUnsignedString(length) + " bytes");
        }
        input.reset();
        return super.dispatch(opcode);
      }
      case Opcodes.PROTO,
          Opcodes.FRAME,
          Opcodes.STOP,
          Opcodes.MARK,
          Opcodes.NONE,
          Opcodes.NEWTRUE,
          Opcodes.NEWFALSE,
          Opcodes.BININT,
          Opcodes.BININT1,
          Opcodes.BININT2,
          Opcodes.LONG1,
          Opcodes.BINFLOAT,
          Opcodes.SHORT_BINUNICODE,
          Opcodes.EMPTY_TUPLE,
          Opcodes.TUPLE,
          Opcodes.TUPLE1,
          Opcodes.TUPLE2,
          Opcodes.TUPLE3,
          Opcodes.EMPTY_LIST,
          Opcodes.APPEND,
          Opcodes.APPENDS,
          Opcodes.BINPUT,
          Opcodes.LONG_BINPUT,
          Opcodes.MEMOIZE,
          Opcodes.BINGET,
          Opcodes.LONG_BINGET,
          Opcodes.BINPERSID,
          Opcodes.REDUCE,
          Opcodes.NEWOBJ -> {
        return super.dispatch(opcode);
      }
      default -> throw new PickleException("opcode %d, which torch never writes".formatted(opcode));
    }
    return NO_RETURN_VALUE;
  }

  /** Stands for a class or function on the stack: a {@link DType}, a call, or only its name. */
  private Object global(String name) {
    Object known = STORAGES.containsKey(name) ? STORAGES.get(name) : CALLS.get(name);
    if (known == null) {
      known = PickledSettings.global(name);
    }
    if (known == null) {
      throw new HarmonicaException(
          "%s: data.pkl names the class %s at byte %d, but only tensors and plain data are read: save a state_dict instead"
              .formatted(path, Messages.quote(name), offset()));
    }
    return known;
  }

  private void build() {
    Map<String, Object> state = mapOf(stack.pop());
    if (stack.peek() instanceof PickledSettings.Namespace namespace) {
      state.forEach((name, value) -> put(namespace, name, value));
    } else if (stack.peek() instanceof PickledSettings.Node node) {
      node.build(state);
    } else {
      mapOf(stack.peek()); // a dict: of an OrderedDict _metadata, the versions of the modules
    }
  }

  private void putAll(List<Object> keysAndValues) {
    Map<String, Object> map = mapOf(stack.peek());
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      Object key = keysAndValues.get(i);
      if (!(key instanceof String || key instanceof Integer || key instanceof Long)) {
        throw new PickleException("a key that is neither a string nor an integer");
      }
      put(map, key.toString(), keysAndValues.get(i + 1));
    }
  }

  private static void put(Map<String, Object> map, String key, Object value) {
    if (map.containsKey(key)) {
      throw new PickleException("the key " + Messages.quote(key) + " twice");
    }
    map.put(key, value);
  }

  @SuppressWarnings(
      "unchecked") // all maps are made here or by PickledSettings, and putAll fills them
  private static Map<String, Object> mapOf(Object object) {
    return (Map<String, Object>) object;
  }

  /** {@code ('storage', class, key, location, elements)}; the location, a device, is of no use. */
  @Override
  protected Object persistentLoad(Object id) {
    Object[] parts = arguments((Object[]) id, 5);
    if (!"storage".equals(parts[0])) {
      throw new PickleException("a persistent id that is not a storage");
    }
    return new Storage((DType) parts[1], (String) parts[2], integer(parts[4]));
  }

  /** {@code (storage, offset, size, stride, requires_grad, hooks[, metadata])}. */
  private static Object rebuildTensor(Object[] args) {
    Object[] parts = arguments(args, args.length == 7 ? 7 : 6);
    return new TorchTensor(
        (Storage) parts[0], integer(parts[1]), integers(parts[2]), integers(parts[3]));
  }

  private static List<Long> integers(Object tuple) {
    Object[] values = (Object[]) tuple;
    if (values.length > MOST_DIMENSIONS) { // one tuple may serve many tensors
      throw new PickleException("a tensor of %d dimensions".formatted(values.length));
    }
    List<Long> integers = new ArrayList<>();
    for (Object value : values) {
      integers.add(integer(value));
    }
    return integers;
  }

  private static long integer(Object value) {
    return value instanceof Integer small ? small : (Long) value;
  }

  static Object[] arguments(Object[] args, int count) {
    if (args.length != count) {
      throw new PickleException(args.length + " arguments where torch writes " + count);
    }
    return args;
  }

  private int offset() {
    try {
      return size - input.available();
    } catch (IOException e) {
      throw new IllegalStateException(e); // it reads from memory
    }
  }
}
