package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PolicyTest {
  private static final List<String> BRANCHES = Routers.branches(4);

  private static String[] picture(Policy policy, int steps) {
    return Arrays.stream(policy.computes(steps, BRANCHES))
        .map(PolicyTest::row)
        .toArray(String[]::new);
  }

  private static String row(boolean[] row) {
    var text = new StringBuilder();
    for (boolean computes : row) {
      text.append(computes ? 'x' : '.');
    }
    return text.toString();
  }

  private static Router router(Policy policy, int steps) {
    return policy.router("p", "dit", "ddim", Routers.timesteps(steps), BRANCHES);
  }

  private static String training(Policy policy) {
    return router(policy, 4).training().toString();
  }

  @Test
  void none_computesEverything() {
    assertThat(Savings.of(router(new Uncached(), 5)).reused()).isZero();
  }

  @Test
  void fora_everyThirdStep_computesAll() {
    assertThat(picture(new Fora(3), 7))
        .containsExactly(
            "xxxxxxxx", "........", "........", "xxxxxxxx", "........", "........", "xxxxxxxx");
    assertThat(Savings.of(router(new Fora(1), 7)).reused()).isZero();
  }

  @Test
  void fora_betweenWholeIntervals_computesWhereTheFloorChanges() {
    assertThat(picture(new Fora(1.5), 7))
        .containsExactly(
            "xxxxxxxx", "........", "xxxxxxxx", "xxxxxxxx", "........", "xxxxxxxx", "xxxxxxxx");
    assertThat(training(new Fora(1.5))).isEqualTo("{\"policy\":\"fora\",\"interval\":1.5}");
    assertThat(picture(new Taylor(2.5, 1), 6)).isEqualTo(picture(new Fora(2.5), 6));
  }

  @Test
  void taylor_sharesForasTableAndForecasts() {
    assertThat(picture(new Taylor(2, 1), 6)).isEqualTo(picture(new Fora(2), 6));
    assertThat(router(new Taylor(2, 0), 6).reuse()).isEqualTo(Reuse.LAST);
    assertThat(router(new Taylor(2, 1), 6).reuse()).isEqualTo(Reuse.LINEAR);
    assertThat(router(new Taylor(2, 2), 6).reuse()).isEqualTo(Reuse.QUADRATIC);
  }

  @Test
  void deltaDit_reusesBackBlocksEarlyAndFrontBlocksLate() {
    assertThat(picture(new DeltaDit(2, null), 8))
        .containsExactly(
            "xxxxxxxx",
            "xxxx....",
            "xxxxxxxx",
            "xxxx....", //
            "xxxxxxxx",
            "....xxxx",
            "xxxxxxxx",
            "....xxxx");
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0.1, 0.125", "0.2, 0.25", "0.33, 0.375", "0.5, 0.5", "0.8, 0.5"})
  void deltaDit_cur_isTheNearestReachable(double asked, double reached) {
    assertThat(Savings.of(router(new DeltaDit(2, asked), 8)).cur()).isEqualTo(reached);
  }

  @ParameterizedTest
  @CsvSource({"0, 0", "0.3, 24", "0.4, 32", "0.9, 72"})
  void random_cur_isExactAndSparesStepZero(double cur, int reused) {
    Router router = router(new RandomReuse(cur, 7), 10);
    assertThat(Savings.of(router).reused()).isEqualTo(reused);
    assertThat(Savings.of(router).computedPerStep().get(0)).isEqualTo(8);
  }

  @Test
  void random_seed_decides() {
    assertThat(picture(new RandomReuse(0.4, 1), 10))
        .isEqualTo(picture(new RandomReuse(0.4, 1), 10))
        .isNotEqualTo(picture(new RandomReuse(0.4, 2), 10));
    String all = Arrays.stream(picture(new RandomReuse(0.4, 1), 10)).collect(Collectors.joining());
    assertThat(all.substring(8, 44)).as("spread over the steps").contains("x").contains(".");
  }

  @Test
  void router_training_namesThePolicyAndItsOptions() {
    assertThat(training(new Uncached())).isEqualTo("{\"policy\":\"none\"}");
    assertThat(training(new Fora(2))).isEqualTo("{\"policy\":\"fora\",\"interval\":2}");
    assertThat(training(new Taylor(2, 1)))
        .isEqualTo("{\"policy\":\"taylor\",\"interval\":2,\"order\":1}");
    assertThat(training(new DeltaDit(2, null)))
        .isEqualTo("{\"policy\":\"delta-dit\",\"interval\":2}");
    assertThat(training(new DeltaDit(2, 0.25)))
        .isEqualTo("{\"policy\":\"delta-dit\",\"interval\":2,\"cur\":0.25}");
    assertThat(training(new RandomReuse(0.25, 3)))
        .isEqualTo("{\"policy\":\"random\",\"cur\":0.25,\"seed\":3}");
  }

  @Test
  void options_outOfRange_areRefusedWithTheBound() {
    assertThatThrownBy(() -> new Fora(0)).hasMessage("interval is 0, expected at least 1");
    assertThatThrownBy(() -> new Fora(0.5)).hasMessage("interval is 0.5, expected at least 1");
    assertThatThrownBy(() -> new Fora(Double.NaN)).hasMessageStartingWith("interval is NaN");
    assertThatThrownBy(() -> new Taylor(-1, 1)).hasMessage("interval is -1, expected at least 1");
    assertThatThrownBy(() -> new Taylor(2, 3)).hasMessage("order is 3, expected 0, 1 or 2");
    assertThatThrownBy(() -> new DeltaDit(2, 1.0)).hasMessageStartingWith("cur is 1.0, expected");
    assertThatThrownBy(() -> new RandomReuse(Double.NaN, 0)).hasMessageStartingWith("cur is NaN");
    assertThatThrownBy(() -> router(new RandomReuse(0.95, 0), 10))
        .hasMessage(
            "cur is 0.95, expected at most 0.9000: of 10 steps the first computes everything");
  }

  @Test
  void grain_saysHowMuchIsReusedAsOne() {
    Policy fora = new Fora(2);
    assertThat(Grained.of(fora, Grain.BRANCH)).isSameAs(fora);
    Router model = router(Grained.of(fora, Grain.MODEL), 4);
    assertThat(model.runs()).containsExactly(new Run(0, 7));
    assertThat(model.isUnderRun(1, 5)).isTrue();
    assertThat(model.isUnderRun(2, 5)).isFalse();
    Router blocks = router(Grained.of(new Taylor(2, 2), Grain.RUN), 4);
    assertThat(blocks.runs())
        .containsExactly(new Run(0, 1), new Run(2, 3), new Run(4, 5), new Run(6, 7));
    assertThat(blocks.reuse()).isEqualTo(Reuse.QUADRATIC);
    assertThat(blocks.training().toString())
        .isEqualTo("{\"policy\":\"taylor\",\"interval\":2,\"order\":2,\"grain\":\"run\"}");
    assertThat(Savings.of(model).cur()).isEqualTo(Savings.of(router(fora, 4)).cur());
  }

  /** Until the next full step the stage stays: its delta is of other blocks. */
  @Test
  void deltaDit_reusesWhatAllSkippedBlocksChange_ofBackOrFront() {
    Router router = router(new DeltaDit(3, 0.25, 4), 9);
    assertThat(router.runs()).containsExactly(new Run(0, 3), new Run(4, 7));
    assertThat(picture(new DeltaDit(3, 0.25, 4), 9))
        .containsExactly(
            "xxxxxxxx",
            "xxxx....",
            "xxxx....",
            "xxxxxxxx",
            "xxxx....",
            "xxxx....",
            "xxxxxxxx",
            "....xxxx",
            "....xxxx");
    assertThat(router.isUnderRun(1, 4)).isTrue();
    assertThat(router.isUnderRun(7, 0)).isTrue();
    assertThat(Schedule.of(router).steps().get(4).reads().get(9)).containsExactly(3);
    assertThat(router(new DeltaDit(2, 0.0), 4).runs()).isEmpty();
  }
}
