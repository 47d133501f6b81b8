package io.harmonica.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import org.junit.jupiter.api.Test;

class UnconditionalTest {
  @Test
  void unconditional_ofTexts_classes_andNothing() {
    assertThat(new Shows.Text(7, 8, false).unconditional()).isEqualTo(Unconditional.TEXT);
    assertThat(new Shows.Classes(3, true).unconditional()).isEqualTo(Unconditional.NULL_CLASS);
    assertThat(new Shows.Classes(3, false).unconditional()).isEqualTo(Unconditional.NONE);
    assertThat(new Shows.Anything().unconditional()).isEqualTo(Unconditional.NOTHING);
  }

  @Test
  void requireGuides_towardsNothing_takesScalesUpTo1() {
    assertThatThrownBy(() -> Unconditional.NOTHING.requireGuides(1.5, "m"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "guidance 1.5 needs a class or a text to lead towards, and model m takes neither: use `guidance` 1, or leave it out");
    assertThatCode(() -> Unconditional.NOTHING.requireGuides(1, "m")).doesNotThrowAnyException();
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
