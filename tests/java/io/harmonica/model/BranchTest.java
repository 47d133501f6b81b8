package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Locale;
import org.junit.jupiter.api.Test;

class BranchTest {
  @Test
  void name_countsBlocksWithTwoDigits() {
    assertThat(new Branch(0, "mlp").name()).isEqualTo("block00.mlp");
    assertThat(new Branch(27, "attention").name()).isEqualTo("block27.attention");
    assertThat(new Branch(100, "mlp").name()).isEqualTo("block100.mlp");
  }

  @Test
  void name_isTheSameWhereDigitsAreOthers() {
    Locale before = Locale.getDefault();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
      assertThat(String.format("%d", 7)).isNotEqualTo("7"); // else this test says nothing
      assertThat(new Branch(7, "mlp").name()).isEqualTo("block07.mlp");
    } finally {
      Locale.setDefault(before);
    }
  }
}
