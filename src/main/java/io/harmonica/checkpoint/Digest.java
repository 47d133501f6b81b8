package io.harmonica.checkpoint;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.TreeSet;

/** What tells one checkpoint's weights from another's, wherever they lie. */
public final class Digest {
  private static final int HEX_DIGITS = 32;

  private Digest() {}

  /** SHA-256 over names, types, shapes and bytes of all tensors, by name; the first 16 bytes. */
  public static String of(Checkpoint checkpoint) {
    try {
      MessageDigest sha = MessageDigest.getInstance("SHA-256");
      for (String name : new TreeSet<>(checkpoint.names())) {
        StoredTensor tensor = checkpoint.tensor(name);
        String head = "%s %s %s\n".formatted(name, tensor.dtype(), tensor.shape());
        sha.update(head.getBytes(StandardCharsets.UTF_8));
        sha.update(tensor.data());
      }
      return HexFormat.of().formatHex(sha.digest()).substring(0, HEX_DIGITS);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has SHA-256
    }
  }
}
