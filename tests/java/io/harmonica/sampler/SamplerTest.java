package io.harmonica.sampler;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What every sampler keeps to, in every spacing that it has. */
class SamplerTest {
  private static final int SIZE = 64;
  private static final NoiseSchedule EXACT = Diffusion.DDPM.schedule(Spacing.OPENAI);

  static Stream<Arguments> samplers() {
    List<Arguments> all = new ArrayList<>();
    for (String name : Sampler.NAMES) {
      for (Spacing spacing : Spacing.values()) {
        boolean own =
            switch (spacing.origin()) {
              case DIFFUSERS -> isFlow(name) ? isFlows(spacing) : !isSinglestep(name);
              case OPENAI -> !isSolver(name) && !isSinglestep(name) && !isFlow(name);
              case UVIT -> isSinglestep(name);
            };
        if (own) {
          all.add(Arguments.of(name, spacing));
        }
      }
    }
    return all.stream();
  }

  /** The same with everything that a model may predict; a flow's has one thing only. */
  static Stream<Arguments> predictions() {
    return samplers()
        .flatMap(
            sampler ->
                Arrays.stream(Predicts.values())
                    .filter(
                        predicts ->
                            switch (((Spacing) sampler.get()[1]).origin()) {
                              case DIFFUSERS ->
                                  !isFlow((String) sampler.get()[0])
                                      || predicts == Predicts.VELOCITY;
                              case OPENAI -> predicts != Predicts.VELOCITY;
                              case UVIT -> predicts == Predicts.NOISE;
                            })
                    .map(predicts -> Arguments.of(sampler.get()[0], sampler.get()[1], predicts)));
  }

  private static boolean isFlow(String name) {
    return name.equals("flow-euler");
  }

  private static boolean isFlows(Spacing spacing) {
    return spacing == Spacing.LINSPACE || spacing == Spacing.TRAILING;
  }

  private static boolean isSolver(String name) {
    return List.of("dpm-solver++", "sa-solver").contains(name);
  }

  private static boolean isSinglestep(String name) {
    return Sampler.ANY_TIME.contains(name);
  }

  private static Sampler sampler(String name, int steps, Spacing spacing) {
    return sampler(name, steps, spacing, Predicts.NOISE);
  }

  private static Sampler sampler(String name, int steps, Spacing spacing, Predicts predicts) {
    return noising(name, predicts).sampler(name, steps, spacing);
  }

  private static Noising noising(String name, Predicts predicts) {
    return isFlow(name)
        ? Flow.of(64)
        : isSinglestep(name) ? AnyTime.DISCRETE : predicting(predicts);
  }

  /** The exact share of the signal at a step. */
  private static double signal(Sampler sampler, int step) {
    return sampler instanceof Singlestep
        ? AnyTime.DISCRETE.signal(sampler.timesteps())[step]
        : EXACT.at(sampler.timesteps(), step);
  }

  /** How much of the picture, and of the noise, is in a sample before a step. */
  private record Mix(double signal, double noise) {
    static Mix of(Sampler sampler, int step) {
      if (sampler instanceof FlowEuler) {
        double sigma = sampler.timesteps().get(step) / 1000;
        return new Mix(1 - sigma, sigma);
      }
      double share = SamplerTest.signal(sampler, step);
      return new Mix(Math.sqrt(share), Math.sqrt(1 - share));
    }

    float sample(float picture, double epsilon) {
      return (float) (signal * picture + noise * epsilon);
    }
  }

  private static Diffusion predicting(Predicts predicts) {
    return new Diffusion(1000, Betas.LINEAR, 1e-4, 0.02, predicts);
  }

  // ---- what all do ----

  @ParameterizedTest
  @MethodSource("samplers")
  void timesteps_decreaseStrictly_forAnyNumberOfSteps(String name, Spacing spacing) {
    if (isSinglestep(name)) {
      return; // SinglestepTest's
    }
    int most = isSolver(name) && spacing != Spacing.TRAILING ? 999 : 1000;
    int refused = 0;
    for (int steps = 1; steps <= most; steps++) {
      try {
        double least = isFlow(name) ? 0.9 : 1; // a flow's timesteps need not be whole
        double previous = 1000 + least;
        List<Double> timesteps = sampler(name, steps, spacing).timesteps().values();
        assertThat(timesteps).hasSize(steps);
        for (double timestep : timesteps) {
          assertThat(timestep).isBetween(0.0, previous - least);
          previous = timestep;
        }
      } catch (IllegalArgumentException e) {
        assertThat(e).hasMessageContaining("no stride gives as many");
        refused++;
      }
    }
    assertThat(refused > 0).isEqualTo(spacing == Spacing.OPENAI_DDIM);
  }

  /** The noise in a sample of a known picture is known: however few the steps, they lead there. */
  @ParameterizedTest
  @MethodSource("predictions")
  void perfectPredictor_leadsToItsPicture(String name, Spacing spacing, Predicts predicts) {
    for (int steps : new int[] {1, 2, 3, 10, 50}) {
      if (name.equals("dpm-solver-2") && steps % 2 == 1) {
        continue;
      }
      Run run = new Run(sampler(name, steps, spacing, predicts), predicts, 7);
      float[] start = run.x.clone();
      for (int s = 0; s < steps; s++) {
        run.step(s);
      }
      if (!endsNoisy(name, spacing)) {
        assertClose(steps + " steps", run.x, run.picture, tolerance(name, spacing));
      }
      assertThat(start).isNotEqualTo(run.x);
    }
  }

  /** diffusers' ancestral sampler adds noise wherever the timestep is not 0, at the end too. */
  private static boolean endsNoisy(String name, Spacing spacing) {
    return name.equals("iddpm") && spacing == Spacing.TRAILING;
  }

  private static double tolerance(String name, Spacing spacing) {
    if (isSinglestep(name)) {
      return 0.13; // stops at the noise of training's first timestep, a deviation of 0.029
    }
    if (name.equals("sa-solver") || (name.equals("ddim") && spacing == Spacing.TRAILING)) {
      return 0.05; // stops at the noise of timestep 0, which is 0.01 of a standard deviation
    }
    return name.equals("ddim") && spacing == Spacing.LINSPACE
        ? 1e-3 // diffusers' stride leads to noisier samples than the timesteps say: see
        // nextByStride
        : 2e-4;
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void trajectories_shareNothing_andKeepNoArray(String name, Spacing spacing) {
    Sampler sampler = sampler(name, 10, spacing);
    Run first = new Run(sampler, 1);
    Run second = new Run(sampler, 2);
    for (int s = 0; s < 10; s++) {
      first.wobble(s);
      second.wobble(s);
    }
    for (Run together : List.of(first, second)) {
      Run alone = new Run(sampler(name, 10, spacing), together.seed);
      for (int s = 0; s < 10; s++) {
        alone.wobble(s);
      }
      assertThat(together.x).containsExactly(alone.x);
    }
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void fork_goesItsOwnWay(String name, Spacing spacing) {
    Sampler sampler = sampler(name, 10, spacing);
    Run straight = new Run(sampler, 1);
    for (int s = 0; s < 10; s++) {
      straight.wobble(s);
    }
    Run run = new Run(sampler, 1);
    for (int s = 0; s < 4; s++) {
      run.wobble(s);
    }
    Stepper fork = run.stepper.fork();
    float[] astray = new float[SIZE];
    float[] some = new float[SIZE];
    Arrays.fill(some, 0.5f);
    for (int s = 4; s < 10; s++) {
      fork.step(s, astray, new Prediction(some, some), some);
      run.wobble(s);
    }
    assertThat(run.x).containsExactly(straight.x);
    assertThat(astray).isNotEqualTo(run.x);
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void trajectory_mayBeginMidway(String name, Spacing spacing) {
    Sampler sampler = sampler(name, 10, spacing);
    Run run = new Run(sampler, 5);
    Mix mix = Mix.of(sampler, 6);
    for (int i = 0; i < SIZE; i++) {
      run.x[i] = mix.sample(run.picture[i], run.random.nextGaussian());
    }
    for (int s = 6; s < 10; s++) {
      run.step(s);
    }
    if (!endsNoisy(name, spacing)) {
      assertClose("from step 6", run.x, run.picture, tolerance(name, spacing));
    }
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void noise_isReadWhereItIsNeeded(String name, Spacing spacing) {
    Sampler sampler = sampler(name, 10, spacing);
    for (int s = 0; s < 10; s++) {
      Run one = new Run(sampler, 3);
      Run other = new Run(sampler, 3);
      for (int before = 0; before < s; before++) {
        one.step(before);
        other.step(before);
      }
      other.random.nextGaussian(); // shifts what is drawn from here
      one.step(s);
      other.step(s);
      assertThat(Arrays.equals(one.x, other.x)).isEqualTo(!sampler.needsNoise(s));
    }
  }

  @ParameterizedTest
  @MethodSource("samplers")
  void steps_outOfRange_areRefused(String name, Spacing spacing) {
    if (isSinglestep(name)) {
      return; // SinglestepTest's
    }
    int most = isSolver(name) && spacing != Spacing.TRAILING ? 999 : 1000;
    for (int steps : new int[] {-1, 0, most + 1}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> sampler(name, steps, spacing))
          .withMessage("`steps` %d is out of range 1..%d", steps, most);
    }
  }

  /** A trajectory with noise, picture and predictions of its own. */
  private static final class Run {
    private final Sampler sampler;
    private final Predicts predicts;
    private final Stepper stepper;
    private final long seed;
    private final Random random;
    private final float[] picture = new float[SIZE];
    private final float[] x = new float[SIZE];

    Run(Sampler sampler, long seed) {
      this(sampler, Predicts.NOISE, seed);
    }

    Run(Sampler sampler, Predicts predicts, long seed) {
      this.sampler = sampler;
      this.predicts = predicts;
      this.stepper = sampler.start();
      this.seed = seed;
      this.random = new Random(seed);
      Mix mix = Mix.of(sampler, 0);
      for (int i = 0; i < SIZE; i++) {
        picture[i] = 2 * random.nextFloat() - 1;
        x[i] = mix.sample(picture[i], random.nextGaussian());
      }
    }

    /** The prediction is perfect. */
    void step(int s) {
      Mix mix = Mix.of(sampler, s);
      float[] output = new float[SIZE];
      for (int i = 0; i < SIZE; i++) {
        double epsilon = (x[i] - mix.signal() * picture[i]) / mix.noise();
        if (sampler instanceof FlowEuler) {
          output[i] = (float) (epsilon - picture[i]);
          continue;
        }
        output[i] =
            switch (predicts) {
              case NOISE -> (float) epsilon;
              case PICTURE -> picture[i];
              case VELOCITY -> (float) (mix.signal() * epsilon - mix.noise() * picture[i]);
            };
      }
      step(s, output);
    }

    /** The prediction is one that no history would do for. */
    void wobble(int s) {
      float[] epsilon = new float[SIZE];
      for (int i = 0; i < SIZE; i++) {
        epsilon[i] = (float) Math.sin(x[i] + s + seed);
      }
      step(s, epsilon);
    }

    private void step(int s, float[] epsilon) {
      float[] variance = null;
      if (sampler.needsVariance()) {
        variance = new float[SIZE];
        Arrays.fill(variance, 2 * random.nextFloat() - 1);
      }
      float[] noise = sampler.needsNoise(s) ? gaussian() : null;
      stepper.step(s, x, new Prediction(epsilon, variance), noise);
      for (float[] lent : new float[][] {epsilon, variance, noise}) {
        if (lent != null) { // the caller's again
          Arrays.fill(lent, Float.NaN);
        }
      }
      for (float value : x) {
        assertThat(value).isFinite();
      }
    }

    private float[] gaussian() {
      float[] values = new float[SIZE];
      for (int i = 0; i < SIZE; i++) {
        values[i] = (float) random.nextGaussian();
      }
      return values;
    }
  }

  // ---- what some do ----

  @Test
  void multistep_isHeldToItsOrder() {
    for (String name : List.of("dpm-solver++", "sa-solver", "dpm-solver-2", "dpm-solver-fast")) {
      Stepper stepper = sampler(name, 10, Sampler.spacing(name, Spacing.LEADING)).start();
      Prediction prediction = Prediction.of(new float[4]);
      stepper.step(0, new float[4], prediction, null);
      for (int wrong : new int[] {0, 2}) {
        assertThatIllegalArgumentException()
            .isThrownBy(() -> stepper.step(wrong, new float[4], prediction, null))
            .withMessage("step %d came after step 0: a trajectory has a stepper of its own", wrong);
      }
    }
  }

  /** Both are DDPM's posterior (arXiv 2010.02502, section 4.1), reached by different formulas. */
  @Test
  void iddpm_ofTheSmallestVariance_isDdimWithEta1() {
    for (Spacing spacing : List.of(Spacing.LEADING, Spacing.OPENAI)) {
      Sampler ddim = sampler("ddim", 10, spacing).withEta(1);
      Sampler iddpm = sampler("iddpm", 10, spacing);
      float[] smallest = new float[SIZE];
      Arrays.fill(smallest, -1);
      for (int s = 0; s < 10; s++) {
        assertThat(ddim.needsNoise(s)).isEqualTo(iddpm.needsNoise(s)).isEqualTo(s < 9);
        Run run = new Run(ddim, s);
        float[] epsilon = run.gaussian();
        float[] noise = run.gaussian();
        float[] other = run.x.clone();
        ddim.start().step(s, run.x, Prediction.of(epsilon), noise);
        iddpm.start().step(s, other, new Prediction(epsilon, smallest), noise);
        assertClose("%s step %d".formatted(spacing, s), other, run.x, 2e-4);
      }
    }
  }

  @Test
  void eta_isDdims_from0To1() {
    Sampler ddim = sampler("ddim", 10, Spacing.LEADING);
    assertThat(ddim.withEta(0)).isEqualTo(ddim);
    assertThat(ddim.needsNoise(0)).isFalse();
    assertThat(ddim.withEta(0.1).needsNoise(0)).isTrue();
    for (double eta : new double[] {-0.1, 1.1, Double.NaN}) {
      assertThatIllegalArgumentException()
          .isThrownBy(() -> ddim.withEta(eta))
          .withMessage("`eta` %s is out of range 0..1", eta);
    }
    for (String name :
        List.of("dpm-solver++", "dpm-solver-2", "flow-euler", "iddpm", "sa-solver")) {
      Spacing origin = isFlow(name) ? Spacing.LINSPACE : Spacing.LEADING;
      Sampler other = sampler(name, 10, Sampler.spacing(name, origin));
      assertThatIllegalArgumentException()
          .isThrownBy(() -> other.withEta(0))
          .withMessage("`eta` has an effect with `sampler` ddim only");
    }
  }

  /** So a step engine makes whole trajectories, and a stepper may go on after it. */
  @ParameterizedTest
  @MethodSource("predictions")
  void linear_isTheStepInNumbers(String name, Spacing spacing, Predicts predicts) {
    Sampler sampler = sampler(name, 10, spacing, predicts);
    Run run = new Run(sampler, predicts, 3);
    Stepper resumed = sampler.start();
    float[] x = run.x.clone();
    ByNumbers numbers = new ByNumbers();
    for (int s = 0; s < 10; s++) {
      assertThat(sampler.linear(s).isPresent()).isEqualTo(Sampler.LINEAR.contains(name));
      if (sampler.linear(s).isEmpty()) {
        assertThatThrownBy(() -> resumed.resume(0, List.of()))
            .isInstanceOf(UnsupportedOperationException.class);
        continue;
      }
      Linear linear = sampler.linear(s).get();
      assertThat(linear.readsState())
          .isEqualTo(
              isSinglestep(name)
                  ? !sampler.beginsUpdate(s)
                  : name.equals("dpm-solver++") && s > 0 && s < 9);
      float[] output = run.gaussian();
      if (s > 0) {
        resumed.resume(s - 1, run.stepper.state());
      }
      float[] again = run.x.clone();
      resumed.step(s, again, Prediction.of(output), null);
      numbers.step(linear, x, output);
      run.stepper.step(s, run.x, Prediction.of(output), null);
      assertThat(again).isEqualTo(run.x);
      assertClose("step " + s, x, run.x, trajectoryTolerance(run.x));
    }
    if (name.equals("ddim")) {
      assertThat(sampler.withEta(1).linear(3)).isEmpty();
    }
  }

  @Test
  void of_refusesWhatItDoesNotKnow() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sampler("euler", 10, Spacing.LEADING))
        .withMessage(
            "`sampler` 'euler' is unknown; use ddim, dpm-solver++, dpm-solver-2,"
                + " dpm-solver-fast, flow-euler, iddpm, sa-solver");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sampler("dpm-solver++", 10, Spacing.OPENAI))
        .withMessage(
            "`spacing` openai does not go with `sampler` dpm-solver++; use linspace, leading or"
                + " trailing");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> sampler("ddim", 10, Spacing.OPENAI, Predicts.VELOCITY))
        .withMessage(
            "`spacing` openai follows OpenAI's code, which has no model that predicts v_prediction;"
                + " use leading, linspace or trailing");
  }
}
