package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.router.Reuse;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.Measure.Entry;
import io.harmonica.train.Measure.Rated;
import io.harmonica.train.Measure.Routing;
import io.harmonica.train.TrainOptions.Objective;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExchangeTest {
  private static final int STEPS = 5;
  private static final int PROBES = 2;
  private static final long SEED = 3;

  /** A reused output a little larger: its effect through everything after it is of first order. */
  @ParameterizedTest
  @ValueSource(strings = {"ddim", "dpm-solver++", "sa-solver"})
  void responses_areTheSlopesOfWholeTrajectories(String sampler) {
    double little = 1e-2;
    try (Tiny tiny = new Tiny(STEPS, sampler)) {
      Measure measure = measure(tiny, 1, 1, 2);
      Routing routing = routing(tiny, 1);
      Responses responses = Responses.of(measure, routing, PROBES, SEED, () -> {});
      double[] before = responses.differences();
      int compared = 0;
      for (int b = 0; b < routing.computes()[0].length; b++) {
        List<Integer> stored = new ArrayList<>();
        for (int s = 0; s < STEPS; s++) {
          if (routing.computes()[s][b]) {
            stored.add(0, s);
          } else if (stored.size() > 1) {
            Entry entry = new Entry(s, b);
            double[] weights = routing.weights().of(s, b, kept(stored, 1));
            double[] expected = new double[responses.samples()];
            for (int j = 0; j < weights.length; j++) {
              responses.add(expected, s, b, stored.get(j), little * weights[j]);
            }
            double[] after =
                Responses.of(measure, scaled(routing, entry, 1 + little), PROBES, SEED, () -> {})
                    .differences();
            double size = 0;
            for (double one : expected) {
              size = Math.max(size, Math.abs(one));
            }
            for (int q = 0; q < after.length; q++) {
              assertThat(after[q] - before[q])
                  .as("entry %s, sample %d", entry, q)
                  .isCloseTo(expected[q], within(0.05 * size + 1e-3));
            }
            compared++;
          }
        }
      }
      assertThat(compared).isGreaterThan(5);
    }
  }

  /** A little of what a branch would compute at a step, in place of what it reuses. */
  @Test
  void responses_tellWhatComputingWouldDo() {
    double little = 1e-2;
    try (Tiny tiny = new Tiny(STEPS)) {
      Measure measure = measure(tiny, 1, 1);
      Routing routing = routing(tiny, 1);
      Responses responses = Responses.of(measure, routing, 1, SEED, () -> {});
      float[] before = difference(tiny, measure, routing, new Entry(-1, -1), 0);
      float[] direction = Responses.signs(new SplittableRandom(SEED), before.length);
      int compared = 0;
      for (int b = 0; b < routing.computes()[0].length; b++) {
        List<Integer> stored = new ArrayList<>();
        for (int s = 0; s < STEPS; s++) {
          if (routing.computes()[s][b]) {
            stored.add(0, s);
            continue;
          }
          double[] expected = new double[responses.samples()];
          responses.add(expected, s, b, s, little);
          double[] weights = routing.weights().of(s, b, kept(stored, 1));
          for (int j = 0; j < weights.length; j++) {
            responses.add(expected, s, b, stored.get(j), -little * weights[j]);
          }
          float[] after = difference(tiny, measure, routing, new Entry(s, b), little);
          double[] found = new double[expected.length];
          for (int i = 0; i < after.length; i++) {
            found[i / (after.length / found.length)] += direction[i] * (after[i] - before[i]);
          }
          double size = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
          for (int q = 0; q < found.length; q++) {
            assertThat(found[q])
                .as("step %d, branch %d, sample %d", s, b, q)
                .isCloseTo(expected[q], within(0.05 * size + 1e-3));
          }
          compared++;
        }
      }
      assertThat(compared).isGreaterThan(5);
    }
  }

  /** With a share of the computed output at one entry. */
  private static float[] difference(
      Tiny tiny, Measure measure, Routing routing, Entry mixed, double share) {
    Denoising denoising = tiny.denoising();
    TorchOps ops = denoising.ops();
    try (Scope scope = Scope.open();
        Walk walk = Walk.start(denoising, measure.batches().get(0), measure.history(), 0)) {
      Value some = ops.input(new float[] {(float) share}, 1);
      denoising.finish(
          walk,
          at -> {
            int step = at.step();
            Denoising.Route route = routing.route(ops, at);
            return (branch, compute) -> {
              Value reused = route.output(branch, compute);
              return mixed.equals(new Entry(step, branch))
                  ? ops.add(reused, ops.mul(some, ops.sub(compute.get(), reused)))
                  : reused;
            };
          });
      return measure.difference(0, walk.x());
    }
  }

  private static Routing scaled(Routing routing, Entry one, double factor) {
    return new Routing(
        routing.computes(),
        (step, branch, stored) -> {
          double[] weights = routing.weights().of(step, branch, stored);
          return one.equals(new Entry(step, branch))
              ? Arrays.stream(weights).map(weight -> weight * factor).toArray()
              : weights;
        });
  }

  /** What the descent expects is what the responses say, and falls with every move. */
  @Test
  void moves_lowerTheExpectedSquares_withinTheBudget() {
    try (Tiny tiny = new Tiny(STEPS)) {
      Measure measure = measure(tiny, 1, 1, 2);
      Routing start = routing(tiny, 1);
      Target target = Target.asItIs(start.computes(), tiny.subject.flops());
      Responses responses = Responses.of(measure, start, PROBES, SEED, () -> {});
      double[] ones = new double[responses.samples()];
      Arrays.fill(ones, 1);
      boolean[] trainable = Objective.SDT.trainable(STEPS);
      List<List<Entry>> moves = new Descent(responses, ones, start, trainable, 2, target).moves();
      assertThat(moves).isNotEmpty();
      boolean[][] computes = Exchange.copy(start.computes());
      double last = expected(responses, start, computes);
      double first = last;
      for (List<Entry> move : moves) {
        move.forEach(entry -> computes[entry.step()][entry.branch()] ^= true);
        double next = expected(responses, start, computes);
        assertThat(next).isLessThan(last);
        assertThat(target.allows(target.cost(computes))).isTrue();
        last = next;
      }
      assertThat(last).isLessThan(first / 2);
      assertThat(computes[0]).containsOnly(true);
    }
  }

  /** The sum of squares that a table is expected to leave. */
  private static double expected(Responses responses, Routing start, boolean[][] computes) {
    double[] left = responses.differences();
    add(responses, left, new Routing(computes, start.weights()), 1);
    add(responses, left, start, -1);
    return Arrays.stream(left).map(one -> one * one).sum();
  }

  private static void add(Responses responses, double[] to, Routing routing, int sign) {
    for (int b = 0; b < routing.computes()[0].length; b++) {
      List<Integer> stored = new ArrayList<>();
      for (int s = 0; s < routing.computes().length; s++) {
        if (routing.computes()[s][b]) {
          stored.add(0, s);
          responses.add(to, s, b, s, sign);
        } else {
          double[] weights = routing.weights().of(s, b, kept(stored, 1));
          for (int j = 0; j < weights.length; j++) {
            responses.add(to, s, b, stored.get(j), sign * weights[j]);
          }
        }
      }
    }
  }

  private static List<Integer> kept(List<Integer> stored, int order) {
    return List.copyOf(stored.subList(0, Math.min(stored.size(), order + 1)));
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void run_isNeverWorse_keepsTheBudget(int order) {
    try (Tiny tiny = new Tiny(STEPS)) {
      Routing start = routing(tiny, order);
      Target target = Target.asItIs(start.computes(), tiny.subject.flops());
      Measure measure = measure(tiny, order, 1, 2);
      boolean[] trainable = Objective.SDT.trainable(STEPS);
      Exchange exchange = new Exchange(measure, target, trainable, measure.rate(start));
      List<Double> probed = new ArrayList<>();
      List<Double> errors = new ArrayList<>(List.of(exchange.best().error()));
      Exchange.Observer observer =
          new Exchange.Observer() {
            @Override
            public void probed(double error) {
              probed.add(error);
            }

            @Override
            public void round(int round, Rated best, boolean last) {
              assertThat(round).isEqualTo(errors.size() - 1);
              assertThat(last).isEqualTo(best.error() == errors.get(round));
              errors.add(best.error());
            }
          };
      int rounds = exchange.run(0, 3, round -> measure(tiny, order, 10 + round), observer);
      assertThat(probed).hasSize(rounds * Exchange.PROBES);
      assertThat(errors).hasSize(rounds + 1).isSortedAccordingTo(Comparator.reverseOrder());
      Rated best = exchange.best();
      assertThat(best.error()).isLessThan(measure.error(start));
      assertThat(measure.error(best.routing())).isEqualTo(best.error());
      boolean[][] computes = best.routing().computes();
      assertThat(target.cost(computes)).isLessThanOrEqualTo(target.cost(start.computes()));
      assertThat(computes[0]).containsOnly(true);
    }
  }

  private static Measure measure(Tiny tiny, int order, long... seeds) {
    Denoising denoising = tiny.denoising();
    List<Batch> batches = new ArrayList<>();
    for (long seed : seeds) {
      batches.add(denoising.draw(2, seed));
    }
    return new Measure(denoising, order + 1, batches);
  }

  private static Routing routing(Tiny tiny, int order) {
    return new Routing(tiny.table(false).computes(0.1), new Reuse.Forecast(order)::weights);
  }
}
