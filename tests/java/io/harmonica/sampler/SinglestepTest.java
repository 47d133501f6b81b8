package io.harmonica.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.HarmonicaException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class SinglestepTest {

  private static AnyTime noising(AnyTime.Between between) {
    return between == AnyTime.Between.CONTINUOUS ? AnyTime.CONTINUOUS : AnyTime.DISCRETE;
  }

  private static Sampler sampler(String name, int steps) {
    return AnyTime.DISCRETE.sampler(name, steps, Spacing.UNIFORM);
  }

  /** A router holds them, and a forecast counts in steps. */
  @ParameterizedTest
  @CsvSource({
    "dpm-solver-2, INTERPOLATED",
    "dpm-solver-2, CONTINUOUS",
    "dpm-solver-fast, INTERPOLATED",
    "dpm-solver-fast, CONTINUOUS"
  })
  void times_fallFromTheNoiseOn_forAnyNumberOfSteps(String name, AnyTime.Between between) {
    for (int steps = Sampler.fewest(name); steps <= 1000; steps += Sampler.fewest(name)) {
      List<Double> times =
          noising(between).sampler(name, steps, Spacing.UNIFORM).timesteps().values();
      assertThat(times).hasSize(steps);
      assertThat(times.get(0)).isEqualTo(between == AnyTime.Between.CONTINUOUS ? 999 : 1000);
      for (int s = 1; s < steps; s++) {
        assertThat(times.get(s)).as("%d of %d", s, steps).isPositive().isLessThan(times.get(s - 1));
      }
    }
  }

  /** So that files stay short, and say exactly what the model is given. */
  @Test
  void times_areTheFewestDigitsOfFp32() {
    for (double time : sampler("dpm-solver-2", 50).timesteps().values()) {
      assertThat(Double.toString(time)).isEqualTo(Float.toString((float) time));
    }
  }

  /** Algorithm of DPM-Solver-fast (arXiv 2206.00927, section 3.4): thirds, and what is left. */
  @ParameterizedTest
  @CsvSource({"1, 1", "2, 2", "3, 21", "4, 31", "5, 32", "6, 321", "7, 331", "8, 332", "9, 3321"})
  void fast_takesThirdOrder_andWhatIsLeft(int steps, String orders) {
    for (AnyTime noising : List.of(AnyTime.DISCRETE, AnyTime.CONTINUOUS)) {
      Sampler sampler = noising.sampler("dpm-solver-fast", steps, Spacing.UNIFORM);
      List<Integer> begins =
          IntStream.range(0, steps).filter(sampler::beginsUpdate).boxed().toList();
      List<Integer> expected = new ArrayList<>();
      int at = 0;
      for (char order : orders.toCharArray()) {
        expected.add(at);
        at += order - '0';
      }
      assertThat(at).isEqualTo(steps);
      assertThat(begins).isEqualTo(expected);
    }
  }

  @Test
  void second_ofOddSteps_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sampler("dpm-solver-2", 21))
        .withMessage(
            "`steps` 21 is odd, and dpm-solver-2 evaluates the model twice an update; use 20 or 22");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sampler("dpm-solver-2", 999))
        .withMessageEndingWith("; use 998 or 1000");
    for (int steps : new int[] {-1, 0, 1, 1001, 1002}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sampler("dpm-solver-2", steps))
          .withMessage("`steps` %d is out of range 2..1000", steps);
    }
    for (int steps : new int[] {-1, 0, 1001}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sampler("dpm-solver-fast", steps))
          .withMessage("`steps` %d is out of range 1..1000", steps);
    }
  }

  @Test
  void trajectory_withinAnUpdate_doesNotBegin() {
    Sampler sampler = sampler("dpm-solver-fast", 6);
    Prediction prediction = Prediction.of(new float[4]);
    sampler.start().step(3, new float[4], prediction, null);
    assertThatThrownBy(() -> sampler.start().step(4, new float[4], prediction, null))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "step 4 is within an update, and a trajectory cannot begin there: begin it at an"
                + " update's first step");
  }

  /** Each kind of model has its own, and what they space. */
  @Test
  void samplersOfOtherModels_areRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sampler("ddim", 10))
        .withMessage(
            "`sampler` ddim takes whole timesteps, and this model was trained on decimal ones; use"
                + " dpm-solver-2 or dpm-solver-fast");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> AnyTime.DISCRETE.sampler("dpm-solver-2", 10, Spacing.LINSPACE))
        .withMessage("`spacing` linspace does not go with `sampler` dpm-solver-2; use uniform");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Diffusion.DDPM.sampler("dpm-solver-2", 10, Spacing.UNIFORM))
        .withMessage(
            "`sampler` dpm-solver-2 is for models that take any time, and this one takes whole"
                + " timesteps; use ddim, dpm-solver++, iddpm or sa-solver");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Diffusion.DDPM.sampler("ddim", 10, Spacing.UNIFORM))
        .withMessage("`spacing` uniform goes with `sampler` dpm-solver-2 or dpm-solver-fast only");
  }

  /** A router tells which of the two it was made for, whatever the sampler's spacing. */
  @Test
  void find_isTheSamplerOfARoutersTimesteps() {
    Sampling sampling = Sampling.of(AnyTime.DISCRETE, "dpm-solver-fast", Spacing.UNIFORM, false);
    for (String name : Sampler.ANY_TIME) {
      Sampler made = sampler(name, 10);
      assertThat(sampling.find(name, made.timesteps())).hasValue(made);
      assertThat(sampling.withSampler(name).sampler()).isEqualTo(name);
    }
    assertThat(sampling.find("dpm-solver-fast", sampler("dpm-solver-2", 10).timesteps())).isEmpty();
  }

  /** The share of a step is that of its time: 1 - sigma^2 with the step's own sigma. */
  @ParameterizedTest
  @ValueSource(strings = {"INTERPOLATED", "CONTINUOUS"})
  void signal_isTheShareAtEachTime(AnyTime.Between between) {
    Sampling sampling = Sampling.of(noising(between), "dpm-solver-fast", Spacing.UNIFORM, false);
    Sampler sampler = sampling.sampler("dpm-solver-fast", 10, Optional.empty());
    double[] signal = sampling.signal(sampler.timesteps(), Spacing.UNIFORM);
    for (int s = 0; s < 10; s++) {
      Linear linear = sampler.linear(s).orElseThrow();
      if (between == AnyTime.Between.INTERPOLATED) {
        double sigma = -linear.pictureOfOutput();
        assertThat(signal[s]).isCloseTo(1 - sigma * sigma, within(1e-5));
      } else {
        double t = sampler.timesteps().get(s) / 999;
        double logAlpha = -19.9 / 4 * t * t - 0.05 * t;
        assertThat(signal[s]).isCloseTo(Math.exp(2 * logAlpha), within(1e-5));
      }
    }
  }
}
