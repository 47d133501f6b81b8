package io.harmonica.results;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.results.HeldOut.Group;
import io.harmonica.results.HeldOut.Scene;
import io.harmonica.results.HeldOut.Seen;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HeldOutTest {
  private static final int RED = 0;
  private static final int BLUE = 5;
  private static final int CIRCLE = 0;
  private static final int STAR = 3;

  /** "two red circles above a blue star on black". */
  private static final Scene CIRCLES_ABOVE_STAR =
      new Scene(
          "two red circles above a blue star on black",
          List.of(new Group(2, RED, CIRCLE)),
          List.of(new Group(1, BLUE, STAR)),
          Optional.of("y<"),
          Optional.empty(),
          Optional.of(2));

  private static Seen circle(double x, double y) {
    return new Seen(x, y, RED, CIRCLE);
  }

  private static Seen star(double x, double y) {
    return new Seen(x, y, BLUE, STAR);
  }

  @Test
  void isTrueOf_needsEveryShapeItsPlaceAndTheGround() {
    List<Seen> right = List.of(circle(6, 8), star(16, 22), circle(24, 9));
    assertThat(CIRCLES_ABOVE_STAR.isTrueOf(right, 2, 32)).isTrue();
    assertThat(CIRCLES_ABOVE_STAR.isTrueOf(right, 1, 32)).isFalse();
    assertThat(CIRCLES_ABOVE_STAR.isTrueOf(right.subList(0, 2), 2, 32)).isFalse();
    List<Seen> oneBelow = List.of(circle(6, 8), star(16, 22), circle(24, 25));
    assertThat(CIRCLES_ABOVE_STAR.isTrueOf(oneBelow, 2, 32)).isFalse();
    List<Seen> swapped =
        List.of(new Seen(6, 8, BLUE, CIRCLE), new Seen(16, 22, RED, STAR), circle(24, 9));
    assertThat(CIRCLES_ABOVE_STAR.isTrueOf(swapped, 2, 32)).isFalse();
  }

  @Test
  void isTrueOf_aPlaceIsAThirdOfThePicture() {
    Scene topLeft =
        new Scene(
            "a blue star in the top left",
            List.of(new Group(1, BLUE, STAR)),
            List.of(),
            Optional.empty(),
            Optional.of(List.of(-1, -1)),
            Optional.empty());
    assertThat(topLeft.isTrueOf(List.of(star(10.6, 3)), 0, 32)).isTrue();
    assertThat(topLeft.isTrueOf(List.of(star(10.7, 3)), 0, 32)).isFalse();
  }

  @Test
  void read_holdsEveryKindOfCaption() {
    HeldOut all = HeldOut.read(HeldOut.FILE);
    assertThat(all.scenes()).hasSize(2000);
    assertThat(all.scenes()).anyMatch(scene -> scene.place().isPresent());
    assertThat(all.scenes()).anyMatch(scene -> scene.background().isEmpty());
    assertThat(all.scenes())
        .allMatch(scene -> scene.relation().isPresent() == !scene.second().isEmpty());
    assertThat(all.scenes().stream().flatMap(scene -> scene.relation().stream()).distinct())
        .containsExactlyInAnyOrder("x<", "x>", "y<", "y>");
  }
}
