package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ScheduleTest {
  static LongStream seeds() {
    return LongStream.range(0, 200);
  }

  @Test
  void of_plainReuse_storesOnlyWhatIsReadAndDropsItAfterItsLastReader() {
    Schedule schedule = Schedule.of(Routers.of(Reuse.LAST, "xx", ".x", ".x", "x.", "xx"));
    assertThat(schedule.routes())
        .containsExactly(
            new Route(List.of(0, 0), List.of(true, false)),
            new Route(List.of(1, 0), List.of(false, false)),
            new Route(List.of(1, 0), List.of(false, true)),
            new Route(List.of(0, 1), List.of(false, false)),
            new Route(List.of(0, 0), List.of(false, false)));
    assertThat(schedule.steps()).extracting(Schedule.Step::route).containsExactly(0, 1, 2, 3, 4);
    assertThat(schedule.steps().get(2).reads()).containsExactly(List.of(0), List.of());
    assertThat(schedule.steps().get(3).reads()).containsExactly(List.of(), List.of(2));
    assertThat(schedule.steps())
        .extracting(Schedule.Step::dropped)
        .containsExactly(
            List.of(),
            List.of(),
            List.of(new Schedule.Output(0, 0)),
            List.of(new Schedule.Output(1, 2)),
            List.of());
    assertThat(schedule.steps().get(2).weights())
        .isDeepEqualTo(new float[][] {{1, 0, 0}, {0, 0, 0}});
  }

  @Test
  void of_linear_growsTheHistoryWithComputedOutputsOnly() {
    Schedule schedule = Schedule.of(Routers.of(Reuse.LINEAR, "x", ".", "x", ".", "."));
    assertThat(schedule.steps())
        .extracting(step -> step.reads().get(0))
        .containsExactly(List.of(), List.of(0), List.of(), List.of(2, 0), List.of(2, 0));
    assertThat(schedule.steps().get(3).weights()[0]).containsExactly(1.5f, -0.5f, 0);
    assertThat(schedule.steps().get(4).weights()[0]).containsExactly(2, -1, 0);
    assertThat(schedule.route(3).variant(0)).isEqualTo('2');
    assertThat(schedule.steps().get(1).dropped()).isEmpty();
    assertThat(schedule.steps().get(4).dropped())
        .containsExactly(new Schedule.Output(0, 0), new Schedule.Output(0, 2));
  }

  @Test
  void of_everySecondStep_sharesRoutes() {
    Schedule schedule =
        Schedule.of(Routers.of(Reuse.LAST, "xx", "..", "xx", "..", "xx", "..", "xx"));
    assertThat(schedule.routes()).hasSize(3);
    assertThat(schedule.steps())
        .extracting(Schedule.Step::route)
        .containsExactly(0, 1, 0, 1, 0, 1, 2);
  }

  @Test
  void of_computesEverything_isTheFullRoute() {
    Schedule schedule = Schedule.of(Routers.of(Reuse.QUADRATIC, "xxx", "xxx"));
    assertThat(schedule.routes()).containsExactly(Route.full(3));
  }

  /** A loop that obeys the schedule, against a history kept by the rule's own words. */
  @ParameterizedTest
  @MethodSource("seeds")
  void of_randomRouter_readsOnlyWhatIsHeldAndStoresOnlyWhatIsRead(long seed) {
    Router router = Routers.random(seed);
    Schedule schedule = Schedule.of(router);
    int branches = router.branches().size();
    Set<Schedule.Output> held = new HashSet<>();
    Map<Schedule.Output, Integer> unread = new HashMap<>();
    List<Deque<Integer>> computed = new ArrayList<>();
    for (int b = 0; b < branches; b++) {
      computed.add(new ArrayDeque<>());
    }
    for (int s = 0; s < router.steps(); s++) {
      Schedule.Step step = schedule.steps().get(s);
      Route route = schedule.route(s);
      for (int b = 0; b < branches; b++) {
        List<Integer> reads = step.reads().get(b);
        assertThat(route.histories().get(b)).isEqualTo(reads.size());
        assertThat(reads.isEmpty()).isEqualTo(router.computes(s, b));
        assertThat(reads).isEqualTo(computed.get(b).stream().limit(reads.size()).toList());
        for (int read : reads) {
          assertThat(held).contains(new Schedule.Output(b, read));
          unread.remove(new Schedule.Output(b, read));
        }
        for (int k = 0; k < Route.MAX_HISTORY; k++) {
          if (k >= reads.size()) {
            assertThat(step.weights()[b][k]).isZero();
          }
        }
        if (router.computes(s, b)) {
          computed.get(b).addFirst(s);
        }
        if (route.stored().get(b)) {
          assertThat(router.computes(s, b)).isTrue();
          held.add(new Schedule.Output(b, s));
          unread.put(new Schedule.Output(b, s), s);
        }
      }
      for (Schedule.Output output : step.dropped()) {
        assertThat(held.remove(output)).isTrue();
        assertThat(step.reads().get(output.column())).contains(output.step());
      }
    }
    assertThat(unread).isEmpty();
    assertThat(held).isEmpty();
    assertThat(schedule.routes()).doesNotHaveDuplicates();
  }

  @ParameterizedTest
  @MethodSource("seeds")
  void savings_randomRouter_matchesBruteForce(long seed) {
    Router router = Routers.random(seed);
    int steps = router.steps();
    int branches = router.branches().size();
    List<Long> weights = LongStream.rangeClosed(1, branches).map(b -> 10 * b).boxed().toList();
    var flops = new Flops(7, weights);
    Schedule schedule = Schedule.of(router);
    long reused = 0;
    double routed = 0;
    long peak = 0;
    for (int s = 0; s < steps; s++) {
      routed += 7;
      long alive = 0;
      for (int b = 0; b < branches; b++) {
        reused += router.computes(s, b) ? 0 : 1;
        routed += router.computes(s, b) ? 10 * (b + 1) : 0;
        for (int made = 0; made <= s; made++) { // is (b, made) read now or later, anywhere?
          for (int later = steps - 1; later > made; later--) {
            if (schedule.steps().get(later).reads().get(b).contains(made)) {
              alive += later >= s ? 1 : 0;
              break;
            }
          }
        }
      }
      peak = Math.max(peak, alive);
    }
    Savings savings = Savings.of(router, flops, CacheBytes.of(Collections.nCopies(branches, 48L)));
    assertThat(savings.reused()).isEqualTo((int) reused);
    assertThat(savings.cur()).isEqualTo((double) reused / (steps * branches));
    assertThat(savings.peakCacheBytesPerSample()).hasValue(48 * peak);
    assertThat(savings.theoreticalSpeedup()).hasValue(steps * flops.full() / routed);
    assertThat(savings.routes()).isEqualTo(schedule.routes().size());
    assertThat(savings.computedPerStep().stream().mapToInt(i -> i).sum())
        .isEqualTo((int) (steps * branches - reused));
  }

  @Test
  void savings_withoutModel_countsOnly() {
    Savings savings = Savings.of(Routers.of(Reuse.LAST, "xx", "..", "x.", "xx"));
    assertThat(savings.computedPerStep()).containsExactly(2, 0, 1, 2);
    assertThat(savings.reused()).isEqualTo(3);
    assertThat(savings.cur()).isEqualTo(3 / 8.0);
    assertThat(savings.theoreticalSpeedup()).isEmpty();
    assertThat(savings.peakCacheBytesPerSample()).isEmpty();
  }

  @Test
  void savings_everySecondStep_weighsFlops() {
    Router router = Routers.of(Reuse.LAST, "xx", "..", "xx", "..");
    Savings savings =
        Savings.of(
            router, new Flops(10, Collections.nCopies(2, 45L)), CacheBytes.of(List.of(4L, 4L)));
    assertThat(savings.theoreticalSpeedup()).hasValue(4 * 100.0 / (2 * 100 + 2 * 10));
    assertThat(savings.peakCacheBytesPerSample()).hasValue(8);
  }

  @Test
  void run_isStoredWhereAllItsBranchesAreComputed_andReadInsteadOfThem() {
    Schedule schedule =
        Schedule.of(
            Routers.withRuns(
                Reuse.LINEAR,
                List.of(new Run(1, 2)),
                "xxxxx", //
                "x..x.",
                "xxxxx",
                "x.xxx", // the run is not whole
                "x..x."));
    assertThat(schedule.route(1).histories()).containsExactly(0, -1, -1, 0, 1);
    assertThat(schedule.route(1).variant()).isEqualTo("cxxc-r1-2.1");
    assertThat(schedule.route(0).stored()).containsExactly(false, true, false, false, true);
    assertThat(schedule.steps().get(3).reads().get(1)).containsExactly(2, 0);
    Schedule.Step last = schedule.steps().get(4);
    assertThat(last.reads().get(4)).containsExactly(2, 0);
    assertThat(last.weights()[4]).containsExactly(2, -1, 0);
    assertThat(last.reads().subList(0, 4)).allMatch(List::isEmpty);
    assertThat(last.dropped())
        .containsExactly(new Schedule.Output(4, 0), new Schedule.Output(4, 2));
  }
}
