package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {

  /** The known answers for {@code philox4x32 10} of Random123, the authors' own code. */
  @ParameterizedTest
  @CsvSource({
    "00000000 00000000 00000000 00000000, 00000000 00000000, 6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff, ffffffff ffffffff, 408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344, a4093822 299f31d0, d16cfe09 94fdcceb 5001e420 24126ea1"
  })
  void block_isTheAuthors(String counter, String key, String numbers) {
    long[] block = words(counter);
    long[] keys = words(key);
    new Philox(keys[0] | keys[1] << 32).block(block);
    assertThat(block).containsExactly(words(numbers));
  }

  private static long[] words(String hex) {
    return Arrays.stream(hex.split(" ")).mapToLong(word -> Long.parseLong(word, 16)).toArray();
  }
}
