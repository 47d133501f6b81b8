package io.harmonica.triton;

import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One block of a PEM file.
 *
 * @param label what it says it holds, as {@code EC PRIVATE KEY}
 * @param encrypted whether its headers say that a passphrase protects it
 * @param der its content, empty where that is not base64
 */
record Pem(String label, boolean encrypted, byte[] der) {
  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ([A-Z0-9 ]+)-----\\s(.*?)-----END \\1-----", Pattern.DOTALL);

  /** All blocks of a file; what stands between them is comment. */
  static List<Pem> blocks(String text) {
    List<Pem> blocks = new ArrayList<>();
    for (Matcher block = BLOCK.matcher(text); block.find(); ) {
      String label = block.group(1);
      String body = block.group(2);
      boolean headed = body.contains(":"); // RFC 1421, as openssl writes passphrases' parameters
      blocks.add(
          new Pem(
              label,
              label.startsWith("ENCRYPTED ") || headed && body.contains("ENCRYPTED"),
              headed ? new byte[0] : decoded(body)));
    }
    return blocks;
  }

  private static byte[] decoded(String body) {
    try {
      return Base64.getDecoder().decode(body.replaceAll("\\s", ""));
    } catch (IllegalArgumentException e) {
      return new byte[0];
    }
  }
}
