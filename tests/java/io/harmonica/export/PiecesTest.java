package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import io.harmonica.router.Run;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class PiecesTest {
  private static final Model DIT = Model.named("DiT-S/8"); // 12 blocks
  private static final Numbers FP32 = Numbers.of(DIT, ExportOptions.of("model"));

  /** Block 0 as {@code c1}, block 1 as {@code 23}, the others computed. */
  private static Route route() {
    List<Integer> histories = new ArrayList<>(Collections.nCopies(24, 0));
    histories.set(1, 1);
    histories.set(2, 2);
    histories.set(3, 3);
    return new Route(histories, Collections.nCopies(24, false));
  }

  /** From block 1's MLP to block 4's attention, reused from two outputs; or stored. */
  private static Route run(boolean reused) {
    Run run = new Run(3, 8);
    List<Integer> histories = new ArrayList<>(Collections.nCopies(25, 0));
    List<Boolean> stored = new ArrayList<>(Collections.nCopies(25, false));
    stored.set(24, !reused);
    if (reused) {
      run.branches().forEach(branch -> histories.set(branch, Route.LEFT_OUT));
      histories.set(24, 2);
    }
    return new Route(histories, stored, List.of(run));
  }

  private static List<String> names(EngineSize size, Route route) {
    return new Pieces(DIT, size, FP32, TextEngines.MOST_BYTES)
        .of(route).stream().map(link -> Names.engine(link.engine().role())).toList();
  }

  private static EngineSize blocks(int count) {
    return EngineSize.ofBlocks(count);
  }

  @Test
  void of_oneBlockAnEngine_namesBlockAndVariant() {
    assertThat(names(blocks(1), route()))
        .hasSize(15)
        .startsWith("condition", "embed", "block00-c1", "block01-23", "block02-cc")
        .endsWith("block11-cc", "head");
  }

  @Test
  void of_severalBlocksAnEngine_leavesTheRestToTheLast() {
    assertThat(names(blocks(5), route()))
        .containsExactly(
            "condition",
            "embed",
            "block00-04-c123cccccc",
            "block05-09-cccccccccc",
            "block10-11-cccc",
            "head");
    assertThat(names(blocks(11), route())).contains("block11-cc");
    assertThat(names(blocks(100), route())).hasSize(4).contains("block00-11-c123" + "c".repeat(20));
  }

  @Test
  void of_wholeStep_isOneEngine() {
    assertThat(names(EngineSize.STEP, route())).containsExactly("step-c123" + "c".repeat(20));
    Engine step =
        new Pieces(DIT, EngineSize.STEP, FP32, TextEngines.MOST_BYTES).of(route()).get(0).engine();
    assertThat(Names.engine(step.computed().role())).isEqualTo("step-" + "c".repeat(24));
  }

  @Test
  void of_branches_givesWhatIsReusedToEnginesThatAllBlocksShare() {
    assertThat(names(EngineSize.BRANCH, route()))
        .hasSize(28)
        .startsWith(
            "weights",
            "condition",
            "embed",
            "block00.attention",
            "reuse-mlp-1",
            "reuse-attention-2",
            "reuse-mlp-3",
            "block02.attention")
        .endsWith("block11.mlp", "head");
    assertThat(names(EngineSize.BRANCH, Route.full(24))).hasSize(27).doesNotContain("weights");
  }

  @Test
  void of_aReusedRun_leavesOutWhatItCovers() {
    assertThat(names(EngineSize.BRANCH, run(true)))
        .hasSize(22)
        .startsWith("condition", "embed", "block00.attention", "block00.mlp", "block01.attention")
        .containsSubsequence("run-hidden-2", "block04.mlp", "block05.attention");
    assertThat(names(blocks(1), run(true)))
        .containsExactly(
            "condition",
            "embed",
            "block00-cc",
            "block01-cx",
            "run-hidden-2",
            "block04-xc",
            "block05-cc",
            "block06-cc",
            "block07-cc",
            "block08-cc",
            "block09-cc",
            "block10-cc",
            "block11-cc",
            "head");
    assertThat(names(blocks(6), run(true)))
        .containsExactly(
            "condition",
            "embed",
            "block00-05-cccxxxxxxxxx",
            "run-hidden-2",
            "block00-05-xxxxxxxxxccc",
            "block06-11-cccccccccccc",
            "head");
    assertThat(names(EngineSize.STEP, run(true)))
        .containsExactly("step-cccxxxxxx" + "c".repeat(15) + "-r3-8.2");
  }

  @Test
  void of_aStoredRun_endsEnginesWhereItBeginsAndEnds() {
    assertThat(names(EngineSize.BRANCH, run(false)))
        .hasSize(28)
        .containsSubsequence("block04.attention", "change-hidden", "block04.mlp");
    assertThat(names(blocks(1), run(false)))
        .containsSubsequence(
            "block01-cx", "block01-xc", "block02-cc", "block04-cx", "change-hidden", "block04-xc");
    assertThat(names(EngineSize.STEP, run(false)))
        .containsExactly("step-" + "c".repeat(24) + "-s3-8");
  }

  @Test
  void always_brings_whatAnyRouterOfBranchEnginesNeeds_andNothingElse() {
    assertThat(new Pieces(DIT, EngineSize.BRANCH, FP32, TextEngines.MOST_BYTES).always())
        .extracting(engine -> Names.engine(engine.role()))
        .containsExactlyInAnyOrder(
            "weights",
            "reuse-attention-1",
            "reuse-attention-2",
            "reuse-attention-3",
            "reuse-mlp-1",
            "reuse-mlp-2",
            "reuse-mlp-3",
            "run-hidden-1",
            "run-hidden-2",
            "run-hidden-3",
            "change-hidden");
    assertThat(new Pieces(DIT, blocks(1), FP32, TextEngines.MOST_BYTES).always()).isEmpty();
  }

  /** Blocks 0 and 1 leave skips for 3 and 4: runs differ in how many they make or change. */
  @Test
  void always_ofLongSkips_hasAnEngineForEachNumberOfThem() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.UVIT)) {
      Model uVit = Exports.uVit(checkpoint, UVitSchedule.DISCRETE);
      assertThat(new Pieces(uVit, EngineSize.BRANCH, FP32, TextEngines.MOST_BYTES).always())
          .extracting(engine -> Names.engine(engine.role()))
          .filteredOn(name -> name.startsWith("change-"))
          .containsExactlyInAnyOrder(
              "change-hidden", "change-hidden-skip.0_new", "change-hidden-skip.0_new-skip.1_new");
    }
  }
}
