package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.train.search.Target;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class SteeringTest {
  private static final boolean[] TRAINABLE = {false, true, true};
  private static final float[] LAMBDA = {0, 1, 10};

  /** Of six entries the first two are fixed; the budget pays for two more. */
  private static final Target TARGET = new Target("cur", 1.0 / 3, new double[] {1, 1}, 4);

  private static final boolean[][] AT_TARGET = {{true, true}, {true, false}, {true, false}};

  private static List<Updates.Loss> losses(double a, double b, double c, double d) {
    return List.of(loss(1, a, b), loss(2, c, d));
  }

  private static Updates.Loss loss(int step, double... savings) {
    return new Updates.Loss(step, 0, 0, 0, new float[2], savings);
  }

  @Test
  void beta_isWhatTheFirstEntryThatDoesNotFitWouldPay() {
    Steering steering = new Steering(Optional.of(TARGET), Steering.State.fresh(3, 2, 0));
    // Weighed by lambda they save 5, 1, 3, 20: the third of them is one too many.
    steering.adjust(true, losses(5, 1, 0.3, 2), AT_TARGET, LAMBDA, TRAINABLE);
    assertThat(steering.beta()).isCloseTo(3, within(1e-6));
  }

  @Test
  void beta_tableTooDear_risesTooCheap_falls() {
    for (boolean dear : new boolean[] {true, false}) {
      Steering steering = new Steering(Optional.of(TARGET), Steering.State.fresh(3, 2, 0));
      boolean[][] computes = {{true, true}, {dear, dear}, {dear, dear}};
      steering.adjust(true, losses(5, 1, 0.3, 2), computes, LAMBDA, TRAINABLE);
      double first = steering.beta();
      steering.adjust(false, losses(5, 1, 0.3, 2), computes, LAMBDA, TRAINABLE);
      assertThat(steering.beta() > first).isEqualTo(dear);
    }
  }

  @Test
  void beta_nothingSaves_isZero() {
    Steering steering = new Steering(Optional.of(TARGET), Steering.State.fresh(3, 2, 0));
    steering.adjust(true, losses(-1, -1, -1, -1), AT_TARGET, LAMBDA, TRAINABLE);
    assertThat(steering.beta()).isZero();
  }

  @Test
  void beta_withoutTarget_stays() {
    Steering steering = new Steering(Optional.empty(), Steering.State.fresh(3, 2, 0.25));
    steering.adjust(true, losses(5, 1, 0.3, 2), AT_TARGET, LAMBDA, TRAINABLE);
    assertThat(steering.beta()).isEqualTo(0.25);
  }

  @Test
  void state_goesOnAlike() {
    Steering one = new Steering(Optional.of(TARGET), Steering.State.fresh(3, 2, 0));
    one.adjust(true, losses(5, 1, 0.3, 2), AT_TARGET, LAMBDA, TRAINABLE);
    Steering other = new Steering(Optional.of(TARGET), one.state());
    for (Steering steering : List.of(one, other)) {
      steering.adjust(false, losses(1, 2, 3, 4), AT_TARGET, LAMBDA, TRAINABLE);
    }
    assertThat(other.beta()).isEqualTo(one.beta());
  }
}
