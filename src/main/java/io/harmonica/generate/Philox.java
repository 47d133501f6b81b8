package io.harmonica.generate;

/**
 * Random numbers by counting: Philox 4x32-10 of Salmon et al., "Parallel Random Numbers: As Easy as
 * 1, 2, 3" (2011), section 3.3. A block of four depends on key and counter only, so every language
 * can make any of them; {@code onnx.SeededNoise} is the same for servers.
 */
final class Philox {
  private static final long LOW = 0xFFFF_FFFFL;
  private static final int ROUNDS = 10;

  private final long key;

  /** Of a key of 64 bits, whose lower half is the first word. */
  Philox(long key) {
    this.key = key;
  }

  /**
   * Four numbers of 32 bits without sign.
   *
   * @param counter four such words; becomes the numbers
   */
  void block(long[] counter) {
    long key0 = key & LOW;
    long key1 = key >>> 32;
    for (int round = 0; round < ROUNDS; round++) {
      long product0 = 0xD251_1F53L * counter[0];
      long product1 = 0xCD9E_8D57L * counter[2];
      counter[0] = (product1 >>> 32) ^ counter[1] ^ key0;
      counter[1] = product1 & LOW;
      counter[2] = (product0 >>> 32) ^ counter[3] ^ key1;
      counter[3] = product0 & LOW;
      key0 = (key0 + 0x9E37_79B9L) & LOW;
      key1 = (key1 + 0xBB67_AE85L) & LOW;
    }
  }
}
