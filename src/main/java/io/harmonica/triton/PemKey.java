package io.harmonica.triton;

import io.harmonica.HarmonicaException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.List;
import java.util.Optional;

/**
 * Private keys of PEM files in the forms that openssl writes without a passphrase: PKCS#8 (RFC
 * 5208), which Java reads, and PKCS#1 (RFC 8017) and SEC1 (RFC 5915), which become PKCS#8 first.
 */
final class PemKey {
  private static final String KEY = "PRIVATE KEY";
  private static final List<String> ALGORITHMS = List.of("RSA", "EC"); // what TLS has keys of

  private static final int SEQUENCE = 0x30;
  private static final int OCTETS = 0x04;
  private static final int PARAMETERS = 0xA0; // a SEC1 key's curve
  private static final byte[] ZERO = {0x02, 1, 0}; // PKCS#8's version
  private static final byte[] RSA = { // rsaEncryption, 1.2.840.113549.1.1.1, and NULL
    0x06, 9, 0x2A, (byte) 0x86, 0x48, (byte) 0x86, (byte) 0xF7, 0x0D, 1, 1, 1, 0x05, 0
  };
  private static final byte[] EC = { // ecPublicKey, 1.2.840.10045.2.1
    0x06, 7, 0x2A, (byte) 0x86, 0x48, (byte) 0xCE, 0x3D, 2, 1
  };

  private PemKey() {}

  /**
   * The key of a file.
   *
   * @param source the file as users named it, for messages, which never quote it
   * @param file its path alone, for the remedy
   */
  static PrivateKey of(List<Pem> blocks, String source, String file) {
    Pem block =
        blocks.stream()
            .filter(one -> one.label().endsWith(KEY))
            .findFirst()
            .orElseThrow(
                () ->
                    new HarmonicaException(
                        "%s holds no private key in PEM, found %s: give the certificate's key"
                            .formatted(source, blocks.stream().map(Pem::label).toList())));
    if (block.encrypted()) {
      throw new HarmonicaException(
          "%s is encrypted, and a passphrase is not asked for here: write it without one, for its owner's eyes only, with `%s`"
              .formatted(source, remedy(file)));
    }
    byte[] der =
        switch (block.label()) {
          case KEY -> block.der();
          case "RSA " + KEY -> pkcs8(RSA, block.der());
          case "EC " + KEY -> fromSec1(block.der(), blocks);
          default -> new byte[0];
        };
    return decoded(der)
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "%s is no key that can be read here (%s), expected RSA or EC: convert it with `%s`"
                        .formatted(source, block.label(), remedy(file))));
  }

  private static String remedy(String file) {
    return "openssl pkcs8 -topk8 -nocrypt -in %s -out KEY.pem".formatted(file);
  }

  /** Whether a certificate's key is the other half of this one: what one signs the other knows. */
  static boolean fits(PrivateKey key, PublicKey certified) {
    if (!key.getAlgorithm().equals(certified.getAlgorithm())) {
      return false;
    }
    byte[] text = {1, 2, 3};
    try {
      Signature signature =
          Signature.getInstance(
              key.getAlgorithm().equals("EC") ? "SHA256withECDSA" : "SHA256withRSA");
      signature.initSign(key);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      signature.update(text);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static Optional<PrivateKey> decoded(byte[] pkcs8) {
    for (String algorithm : ALGORITHMS) {
      try {
        PKCS8EncodedKeySpec spec = new PKCS8EncodedKeySpec(pkcs8);
        return Optional.of(KeyFactory.getInstance(algorithm).generatePrivate(spec));
      } catch (GeneralSecurityException e) {
        // the next one's, or none's
      }
    }
    return Optional.empty();
  }

  /** A SEC1 key with its curve, which it names itself or a block before it does. */
  private static byte[] fromSec1(byte[] key, List<Pem> blocks) {
    return child(key, SEQUENCE)
        .flatMap(fields -> child(fields, PARAMETERS))
        .or(
            () ->
                blocks.stream()
                    .filter(block -> block.label().equals("EC PARAMETERS"))
                    .map(Pem::der)
                    .findFirst())
        .map(curve -> pkcs8(joined(EC, curve), key))
        .orElse(new byte[0]);
  }

  private static byte[] pkcs8(byte[] algorithm, byte[] key) {
    return element(SEQUENCE, joined(ZERO, element(SEQUENCE, algorithm), element(OCTETS, key)));
  }

  /** Of elements in DER, one after another, the content of the first with a tag. */
  private static Optional<byte[]> child(byte[] elements, int tag) {
    ByteBuffer in = ByteBuffer.wrap(elements);
    while (in.remaining() >= 2) {
      int found = in.get() & 0xFF;
      int length = in.get() & 0xFF;
      if (length > 0x80) { // the length's own length
        int bytes = length - 0x80;
        length = 0;
        for (int i = 0; i < bytes && in.hasRemaining(); i++) {
          length = length << 8 | in.get() & 0xFF;
        }
      }
      if (length < 0 || length > in.remaining()) {
        return Optional.empty();
      }
      byte[] content = new byte[length];
      in.get(content);
      if (found == tag) {
        return Optional.of(content);
      }
    }
    return Optional.empty();
  }

  private static byte[] element(int tag, byte[] content) {
    int size = content.length;
    byte[] length; // DER wants the shortest form
    if (size < 0x80) {
      length = new byte[] {(byte) size};
    } else if (size < 0x100) {
      length = new byte[] {(byte) 0x81, (byte) size};
    } else {
      length = new byte[] {(byte) 0x82, (byte) (size >> 8), (byte) size};
    }
    return joined(new byte[] {(byte) tag}, length, content);
  }

  private static byte[] joined(byte[]... parts) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (byte[] part : parts) {
      bytes.writeBytes(part);
    }
    return bytes.toByteArray();
  }
}
