package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import org.junit.jupiter.api.Test;

class UnconditionalTest {
  @Test
  void of_texts_classes_andNothing() {
    assertThat(Unconditional.of(true, false)).isEqualTo(Unconditional.TEXT);
    assertThat(Unconditional.of(false, true)).isEqualTo(Unconditional.NULL_CLASS);
    assertThat(Unconditional.of(false, false)).isEqualTo(Unconditional.NONE);
  }

  @Test
  void requireGuides_withoutNullClass_takesScalesUpTo1() {
    assertThatThrownBy(() -> Unconditional.NONE.requireGuides(1.01, "m"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "guidance 1.01 needs a null class to lead away from, and model m has none, as it was trained without class dropout: use `guidance` 1, or leave it out");
    assertThatCode(() -> Unconditional.NONE.requireGuides(1, "m")).doesNotThrowAnyException();
    assertThatCode(() -> Unconditional.NULL_CLASS.requireGuides(9, "m")).doesNotThrowAnyException();
    assertThatCode(() -> Unconditional.TEXT.requireGuides(9, "m")).doesNotThrowAnyException();
  }
}
