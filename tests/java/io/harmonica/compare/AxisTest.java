package io.harmonica.compare;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Test;

class AxisTest {

  @Test
  void around_holdsAllValuesBetweenRoundTicks() {
    Axis axis = Axis.around(new double[] {1.93, 2.71, 1.41}, 0, 100);
    assertThat(axis.first()).isEqualTo(1);
    assertThat(axis.last()).isEqualTo(3);
    assertThat(axis.ticks().stream().map(axis::label).toList())
        .isEqualTo(List.of("1.0", "1.5", "2.0", "2.5", "3.0"));
  }

  @Test
  void around_makesRoom_forOneValue() {
    Axis axis = Axis.around(new double[] {30}, 0, 100);
    assertThat(axis.first()).isLessThan(30);
    assertThat(axis.last()).isGreaterThan(30);
    assertThat(axis.ticks()).hasSizeBetween(2, 7);
  }

  @Test
  void place_turnsUpsideDown_whereToIsBelowFrom() {
    Axis axis = Axis.around(new double[] {22, 38}, 300, 0);
    assertThat(axis.place(20)).isCloseTo(300, within(1e-9));
    assertThat(axis.place(30)).isCloseTo(150, within(1e-9));
    assertThat(axis.place(40)).isCloseTo(0, within(1e-9));
  }

  @Test
  void label_showsTheDigitsOfTheStep() {
    Axis axis = Axis.around(new double[] {1.005, 1.07}, 0, 1);
    assertThat(axis.label(axis.ticks().get(1))).isEqualTo("1.02");
  }
}
