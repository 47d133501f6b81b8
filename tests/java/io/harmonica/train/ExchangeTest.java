package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.router.Reuse;
import io.harmonica.train.Measure.Entry;
import io.harmonica.train.Measure.Routing;
import io.harmonica.train.TrainOptions.Objective;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExchangeTest {
  private static final int STEPS = 5;

  @Test
  void effects_areTheDifferencesOfWholeTrajectories() {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      Routing routing = routing(tiny, Reuse.LINEAR);
      Measure measure =
          new Measure(denoising, 2, List.of(denoising.draw(1, 1), denoising.draw(1, 2)));
      List<Entry> entries = List.of(new Entry(1, 0), new Entry(3, 4), new Entry(4, 5));
      long before = denoising.passes();
      float[][] effects = measure.effects(1, routing, entries, () -> {});
      // The table's own passes, and of each flip those from its step on.
      assertThat(denoising.passes() - before).isEqualTo(STEPS + (4 + 2 + 1));
      float[] base = measure.difference(1, routing);
      for (int i = 0; i < entries.size(); i++) {
        boolean[][] flipped = copy(routing.computes());
        flipped[entries.get(i).step()][entries.get(i).branch()] ^= true;
        float[] difference = measure.difference(1, new Routing(flipped, routing.weights()));
        for (int j = 0; j < base.length; j++) {
          assertThat(base[j] + effects[i][j]).isCloseTo(difference[j], within(1e-3f));
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void run_isNeverWorse_keepsTheBudget(int order) {
    try (Tiny tiny = new Tiny(STEPS)) {
      Denoising denoising = tiny.denoising();
      Routing start = routing(tiny, new Reuse.Forecast(order));
      boolean[] trainable = Objective.SDT.trainable(STEPS);
      Target target = Target.asItIs(start.computes(), tiny.subject.flops());
      Measure measure =
          new Measure(denoising, order + 1, List.of(denoising.draw(2, 1), denoising.draw(2, 2)));
      Exchange.Result result = new Exchange(measure, target).run(start, trainable, 3, note -> {});
      assertThat(result.error()).isLessThan(measure.error(start));
      assertThat(measure.error(new Routing(result.computes(), start.weights())))
          .isEqualTo(result.error());
      assertThat(target.cost(result.computes())).isLessThanOrEqualTo(target.cost(start.computes()));
      assertThat(result.computes()[0]).containsOnly(true);
    }
  }

  @Test
  void moves_takeWhatLowersTheSum_withinTheBudget() {
    // One computed entry that hardly matters, two reused ones that do; room for one.
    boolean[][] computes = {{true, true, true}, {true, false, false}};
    List<Entry> entries = List.of(new Entry(1, 0), new Entry(1, 1), new Entry(1, 2));
    float[] difference = {3, 4};
    float[][] effects = {{0.1f, 0}, {-3, 0}, {0, -4}};
    Target target = new Target("cur", 0.5, new double[] {1, 1, 1}, 4);
    Proposal proposal = new Proposal(computes, entries, target);
    proposal.add(1, difference, effects);
    assertThat(proposal.moves()).containsExactly(List.of(new Entry(1, 2), new Entry(1, 0)));
  }

  @Test
  void moves_weighPicturesByWhatTheyLack() {
    boolean[][] computes = {{true, true, true}, {true, false, false}};
    List<Entry> entries = List.of(new Entry(1, 0), new Entry(1, 1), new Entry(1, 2));
    float[] difference = {100, 1}; // two pictures of one value
    float[][] effects = {{0, 0}, {-30, 0}, {0, -0.9f}};
    Target target = new Target("cur", 0.5, new double[] {1, 1, 1}, 4);
    Proposal proposal = new Proposal(computes, entries, target);
    proposal.add(2, difference, effects);
    assertThat(proposal.moves().get(0)).containsExactly(new Entry(1, 2), new Entry(1, 0));
  }

  private static Routing routing(Tiny tiny, Reuse reuse) {
    return new Routing(tiny.table(false).computes(0.1), reuse::weights);
  }

  private static boolean[][] copy(boolean[][] computes) {
    return Arrays.stream(computes).map(boolean[]::clone).toArray(boolean[][]::new);
  }
}
