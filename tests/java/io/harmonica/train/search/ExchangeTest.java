package io.harmonica.train.search;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.router.Grain;
import io.harmonica.router.Reuse;
import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Betas;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Noising;
import io.harmonica.sampler.Predicts;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.Tiny;
import io.harmonica.train.TrainOptions.Objective;
import io.harmonica.train.search.Measure.Entry;
import io.harmonica.train.search.Measure.Rated;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Substitute;
import io.harmonica.train.trajectory.Walk;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ExchangeTest {
  private static final int STEPS = 5;
  private static final int PROBES = 2;
  private static final long SEED = 3;

  /** Of differences of pictures, in single precision. */
  private static final double NOISE = 3e-4;

  /** A reused output a little larger: its effect through everything after it is of first order. */
  @ParameterizedTest
  @CsvSource({
    "ddim, epsilon, BRANCH",
    "dpm-solver++, epsilon, BRANCH",
    "sa-solver, epsilon, RUN",
    "ddim, v_prediction, BRANCH",
    "dpm-solver++, sample, RUN",
    "dpm-solver-fast, interpolated, RUN",
    "dpm-solver-fast, continuous, BRANCH"
  })
  void responses_areTheSlopesOfWholeTrajectories(String sampler, String predicts, Grain grain) {
    double little = 1e-2;
    Noising noising =
        switch (predicts) {
          case "interpolated" -> AnyTime.DISCRETE;
          case "continuous" -> AnyTime.CONTINUOUS;
          default -> new Diffusion(1000, Betas.LINEAR, 1e-4, 0.02, Predicts.of(predicts));
        };
    try (Tiny tiny = new Tiny(STEPS, sampler, noising, grain)) {
      var look = new Look(tiny);
      for (Entry entry : look.reused(2)) { // a single one has no weight
        double[] expected = new double[look.responses.samples()];
        look.addReused(expected, entry, little);
        look.compare(entry, expected, look.difference(scaled(look.routing, entry, 1 + little)));
      }
      assertThat(look.felt).isPositive();
    }
  }

  /** A little of what a branch would compute at a step, in place of what it reuses. */
  @Test
  void responses_tellWhatComputingWouldDo() {
    double little = 1e-2;
    try (Tiny tiny = new Tiny(STEPS)) {
      var look = new Look(tiny);
      for (Entry entry : look.reused(1)) {
        double[] expected = new double[look.responses.samples()];
        look.responses.add(expected, entry.step(), entry.column(), entry.step(), little);
        look.addReused(expected, entry, -little);
        look.compare(entry, expected, look.withComputed(entry, little));
      }
      assertThat(look.felt).isGreaterThan(5);
    }
  }

  /** One batch of a routed trajectory, what its responses say, and what really happens. */
  private static final class Look {
    final Denoising denoising;
    final Measure measure;
    final Routing routing;
    final Responses responses;
    final float[] before;
    final float[][] directions;
    int felt; // entries whose effect stands out of the noise

    Look(Tiny tiny) {
      denoising = tiny.denoising();
      measure = ExchangeTest.measure(tiny, 1, 1);
      routing = ExchangeTest.routing(tiny, 1);
      responses = Responses.of(measure, routing, PROBES, SEED, () -> {});
      before = difference(routing);
      directions = Responses.directions(new SplittableRandom(SEED), PROBES, before.length);
    }

    /** The entries that reuse so many outputs or more. */
    List<Entry> reused(int least) {
      List<Entry> entries = new ArrayList<>();
      for (int s = 0; s < STEPS; s++) {
        for (int b = 0; b < denoising.columns(); b++) {
          if (!routing.computes()[s][b] && weights(new Entry(s, b)).length >= least) {
            entries.add(new Entry(s, b));
          }
        }
      }
      assertThat(entries).isNotEmpty();
      return entries;
    }

    void addReused(double[] to, Entry entry, double factor) {
      double[] weights = weights(entry);
      for (int j = 0; j < weights.length; j++) {
        int of = stored(entry).get(j);
        responses.add(to, entry.step(), entry.column(), of, factor * weights[j]);
      }
    }

    private double[] weights(Entry entry) {
      return routing.weights().of(entry.step(), entry.column(), stored(entry));
    }

    private List<Integer> stored(Entry entry) {
      List<Integer> stored = new ArrayList<>();
      for (int s = 0; s < entry.step(); s++) {
        if (routing.computes()[s][entry.column()]) {
          stored.add(0, s);
        }
      }
      return kept(stored, 1);
    }

    float[] difference(Routing other) {
      return walked(at -> other.route(denoising.ops(), at));
    }

    /** With a share of what one entry would compute. */
    float[] withComputed(Entry entry, double share) {
      TorchOps ops = denoising.ops();
      return walked(
          at -> {
            int step = at.step();
            Substitute route = routing.route(ops, at);
            return (branch, compute) -> {
              Value reused = route.output(branch, compute);
              if (!entry.equals(new Entry(step, branch))) {
                return reused;
              }
              Value part = ops.input(new float[] {(float) share}, 1);
              return ops.add(reused, ops.mul(part, ops.sub(compute.get(), reused)));
            };
          });
    }

    private float[] walked(Function<Walk, Substitute> routes) {
      try (Walk walk = Walk.start(denoising, measure.batches().get(0), measure.history(), 0)) {
        denoising.finish(walk, routes);
        return measure.difference(0, walk.x());
      }
    }

    void compare(Entry entry, double[] expected, float[] after) {
      double[] found = new double[expected.length];
      int size = after.length / measure.pictures();
      for (int i = 0; i < after.length; i++) {
        for (int p = 0; p < PROBES; p++) {
          found[i / size * PROBES + p] += directions[p][i] * (after[i] - before[i]);
        }
      }
      double largest = Arrays.stream(expected).map(Math::abs).max().orElseThrow();
      felt += largest > 5 * NOISE ? 1 : 0;
      for (int q = 0; q < found.length; q++) {
        assertThat(found[q])
            .as("%s, sample %d", entry, q)
            .isCloseTo(expected[q], within(0.05 * largest + NOISE));
      }
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
      Target target = Target.asItIs(start.computes(), tiny.task.flops());
      Responses responses = Responses.of(measure, start, PROBES, SEED, () -> {});
      boolean[] trainable = Objective.SDT.trainable(tiny.task.sampler());
      List<List<Entry>> moves = new Descent(responses, start, trainable, 2, target).moves();
      assertThat(moves).isNotEmpty();
      boolean[][] computes = Exchange.copy(start.computes());
      double last = expected(responses, start, computes);
      double first = last;
      for (List<Entry> move : moves) {
        move.forEach(entry -> computes[entry.step()][entry.column()] ^= true);
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
    double sum = 0;
    for (int q = 0; q < left.length; q++) {
      sum += responses.scales()[q] * left[q] * left[q];
    }
    return sum;
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
      Target target = Target.asItIs(start.computes(), tiny.task.flops());
      Measure measure = measure(tiny, order, 1, 2);
      boolean[] trainable = Objective.SDT.trainable(tiny.task.sampler());
      Exchange exchange = new Exchange(measure, target, trainable, measure.rate(start), SEED);
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
    return new Routing(tiny.computes(0.1), new Reuse.Forecast(order)::weights);
  }
}
