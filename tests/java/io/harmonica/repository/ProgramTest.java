package io.harmonica.repository;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.Timesteps;
import io.harmonica.router.Reuse;
import io.harmonica.router.Route;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.router.Schedule.Output;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ProgramTest {

  /** Computes a share of the branches by chance, all of them at the first three steps. */
  private static Router router(int steps, List<String> branches, double share, Reuse reuse) {
    Random random = new Random(steps);
    double[][] scores = new double[steps][branches.size()];
    for (int s = 0; s < steps; s++) {
      for (int b = 0; b < branches.size(); b++) {
        scores[s][b] = s < 3 || random.nextDouble() < share ? 1 : 0;
      }
    }
    List<Integer> timesteps = IntStream.range(0, steps).map(s -> steps - 1 - s).boxed().toList();
    return new Router(
        "r",
        "DiT",
        "ddim",
        steps,
        Timesteps.of(timesteps),
        0.5,
        branches,
        scores,
        reuse,
        JsonNodeFactory.instance.objectNode());
  }

  private static List<String> branches(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> "block%02d.%s".formatted(i / 2, i % 2 == 0 ? "attention" : "mlp"))
        .toList();
  }

  private static Program program(Router router, int size) {
    Schedule schedule = Schedule.of(router);
    return Program.of(
        schedule, size, router.branches(), Program.ensembles("m", "r", schedule, size));
  }

  /** A client that only follows: everything that a call reads was kept, and not a call longer. */
  @ParameterizedTest
  @CsvSource({
    "1, 0.4, LAST",
    "1, 0.4, QUADRATIC",
    "4, 0.4, LINEAR",
    "5, 0.1, LAST",
    "20, 0.5, LAST"
  })
  void followingIt_findsWhatTheRouterReuses(int size, double share, String kind) {
    Reuse reuse =
        Map.of("LAST", Reuse.LAST, "LINEAR", Reuse.LINEAR, "QUADRATIC", Reuse.QUADRATIC).get(kind);
    Router router = router(18, branches(6), share, reuse);
    Program program = program(router, size);
    List<List<Integer>> computed = new ArrayList<>(); // by branch, newest first
    router.branches().forEach(branch -> computed.add(new ArrayList<>()));
    Map<Output, Integer> cache = new HashMap<>(); // until which call
    for (int c = 0; c < program.calls().size(); c++) {
      Program.Call call = program.calls().get(c);
      Map<String, Output> reads = new HashMap<>();
      call.reads().forEach(read -> reads.put(read.input(), read.output()));
      Map<String, Output> wanted = new HashMap<>();
      for (int b = 0; b < router.branches().size(); b++) {
        List<Integer> before = List.copyOf(computed.get(b));
        for (int s = call.first(); s <= call.last(); s++) {
          if (router.computes(s, b)) {
            computed.get(b).add(0, s);
            continue;
          }
          double[] weights = router.reuse().weights(s, b, computed.get(b));
          for (int made : computed.get(b).subList(0, weights.length)) {
            if (before.contains(made)) {
              String input = router.branches().get(b) + "." + (before.indexOf(made) + 1);
              wanted.put(input, new Output(b, made));
            }
          }
          if (weights.length > 1) {
            float[][] sent = call.weights().get(call.tensor(Names.REUSE_WEIGHTS, s - call.first()));
            for (int k = 0; k < weights.length; k++) {
              assertThat(sent[b][k]).isEqualTo((float) weights[k]);
            }
          }
        }
      }
      assertThat(reads).isEqualTo(wanted);
      assertThat(cache.keySet()).containsAll(wanted.values());
      int now = c;
      wanted.values().forEach(read -> assertThat(cache.get(read)).isGreaterThanOrEqualTo(now));
      cache.forEach(
          (output, last) -> assertThat(last == now && !wanted.containsValue(output)).isFalse());
      cache.values().removeIf(last -> last == now);
      call.keeps().forEach(keep -> cache.put(keep.of(), keep.lastCall()));
    }
    assertThat(cache).isEmpty();
    assertThat(program.steps()).isEqualTo(18);
  }

  @ParameterizedTest
  @CsvSource({"1, LINEAR", "5, LINEAR", "3, QUADRATIC"})
  void written_readsBackAlike(int size, String kind) {
    Reuse reuse = kind.equals("LINEAR") ? Reuse.LINEAR : Reuse.QUADRATIC;
    Router router = router(17, branches(8), 0.4, reuse);
    Program program = program(router, size);
    Program read = read(json(program, router.branches()), router.branches());
    assertThat(read.calls()).hasSameSizeAs(program.calls());
    for (int c = 0; c < read.calls().size(); c++) {
      Program.Call one = read.calls().get(c);
      Program.Call other = program.calls().get(c);
      assertThat(one.model()).isEqualTo(other.model());
      assertThat(one.first()).isEqualTo(other.first());
      assertThat(one.steps()).isEqualTo(other.steps());
      assertThat(one.reads()).containsExactlyInAnyOrderElementsOf(other.reads());
      assertThat(one.keeps()).containsExactlyInAnyOrderElementsOf(other.keeps());
      assertThat(one.weights().keySet()).isEqualTo(other.weights().keySet());
      one.weights()
          .forEach((step, rows) -> assertThat(rows).isDeepEqualTo(other.weights().get(step)));
    }
  }

  private static String json(Program program, List<String> branches) {
    List<Integer> timesteps = IntStream.range(0, program.steps()).boxed().toList();
    return new ObjectMapper()
        .valueToTree(ProgramJson.of(program, branches, Timesteps.of(timesteps), List.of()))
        .toString();
  }

  private static Program read(String json, List<String> branches) {
    try {
      return new ObjectMapper().readValue(json, ProgramJson.class).program(branches);
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /** A bad case: no two steps alike. Learned weights differ everywhere, so fewer are let in. */
  @Test
  void ofFiftySteps_andAHundredBranches_isSmall() {
    List<String> branches = branches(100);
    for (Reuse reuse : List.of(Reuse.LAST, Reuse.LINEAR, Reuse.QUADRATIC, learned(50, 100))) {
      double share = reuse instanceof Reuse.Weights ? 0.6 : 0.5;
      Router router = router(50, branches, share, reuse);
      assertThat(json(program(router, 1), branches)).as(reuse.kind()).hasSizeLessThan(100_000);
    }
  }

  private static Reuse learned(int steps, int branches) {
    Random random = new Random(1);
    double[][][] weights = new double[steps][branches][];
    for (double[][] row : weights) {
      for (int b = 0; b < branches; b++) {
        float newest = 1 + random.nextFloat();
        row[b] = new double[] {newest, 1 - newest};
      }
    }
    return new Reuse.Weights(weights);
  }

  @Test
  void withAPeriod_hasFewKindsOfCalls() {
    List<String> branches = branches(4);
    double[][] scores = new double[50][4];
    for (int s = 0; s < 50; s += 2) {
      java.util.Arrays.fill(scores[s], 1);
    }
    List<Integer> timesteps = IntStream.range(0, 50).map(s -> 49 - s).boxed().toList();
    Router router =
        new Router(
            "r",
            "DiT",
            "ddim",
            50,
            Timesteps.of(timesteps),
            0.5,
            branches,
            scores,
            Reuse.LAST,
            JsonNodeFactory.instance.objectNode());
    ProgramJson written =
        ProgramJson.of(program(router, 1), branches, Timesteps.of(timesteps), List.of());
    assertThat(written.calls()).hasSize(2);
    assertThat(written.order()).hasSize(50);
    assertThat(written.calls().get(0).keeps()).containsOnlyKeys(1);
    assertThat(written.calls().get(1).reads())
        .isEqualTo(Map.of(1, List.of(0, Route.MAX_HISTORY, 2 * Route.MAX_HISTORY, 9)));
  }
}
