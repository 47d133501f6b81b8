package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.assertj.core.api.ThrowingConsumer;

/** Damages valid input in many seeded ways: readers must take it or refuse it in one clear line. */
public final class Mutations {
  /** What readers of counts, lengths and offsets stumble over. */
  private static final long[] EXTREMES = {0, 1, -1, 127, 255, 65535, 1 << 30, 1L << 62, -1L << 63};

  private Mutations() {}

  /**
   * Feeds a reader with {@code count} damaged copies of valid inputs, and with these themselves.
   * Fails unless each is read or refused with a {@link HarmonicaException} of one line, and unless
   * some are refused.
   */
  public static void assertReadOrRefused(
      long seed, int count, List<byte[]> valid, ThrowingConsumer<byte[]> reader) {
    valid.forEach(reader); // a valid input that is refused would test little
    Random random = new Random(seed);
    int refused = 0;
    for (int i = 0; i < count; i++) {
      refused += refused(damaged(random, valid), reader) ? 1 : 0;
    }
    assertThat(refused).as("refused of %d", count).isBetween(1, count);
  }

  /** Whether the reader refuses the input, as it should: any other throwable is a failure. */
  public static boolean refused(byte[] input, ThrowingConsumer<byte[]> reader) {
    try {
      reader.acceptThrows(input);
      return false;
    } catch (HarmonicaException e) {
      assertThat(e.getMessage()).isNotBlank().doesNotContainPattern("\\R");
      return true;
    } catch (Throwable e) {
      throw new AssertionError("input " + Base64.getEncoder().encodeToString(input), e);
    }
  }

  private static byte[] damaged(Random random, List<byte[]> valid) {
    byte[] input = pick(random, valid).clone();
    for (int changes = 1 + random.nextInt(4); changes > 0 && input.length > 0; changes--) {
      input = changed(random, input, pick(random, valid));
    }
    return input;
  }

  private static byte[] changed(Random random, byte[] input, byte[] other) {
    int at = random.nextInt(input.length);
    switch (random.nextInt(7)) {
      case 0 -> input[at] ^= (byte) (1 << random.nextInt(8));
      case 1 -> input[at] = (byte) random.nextInt(256);
      case 2 -> input[at] = input[random.nextInt(input.length)]; // brackets in text, opcodes
      case 3 -> {
        long extreme = EXTREMES[random.nextInt(EXTREMES.length)];
        for (int b = 0; b < 1 << random.nextInt(4) && at + b < input.length; b++) {
          input[at + b] = (byte) (extreme >> 8 * b);
        }
      }
      case 4 -> {
        return Arrays.copyOf(input, at);
      }
      case 5 -> { // drop, repeat or skip: from one place in this to another place in that
        int from = random.nextInt(other.length);
        byte[] spliced = Arrays.copyOf(input, at + other.length - from);
        System.arraycopy(other, from, spliced, at, other.length - from);
        return spliced;
      }
      default -> {
        int length = Math.min(random.nextInt(16), input.length - at);
        byte[] repeated = Arrays.copyOf(input, input.length + length);
        System.arraycopy(input, at, repeated, at + length, input.length - at);
        return repeated;
      }
    }
    return input;
  }

  private static byte[] pick(Random random, List<byte[]> inputs) {
    return inputs.get(random.nextInt(inputs.size()));
  }
}
