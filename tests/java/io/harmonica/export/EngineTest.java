package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.model.Denoiser;
import io.harmonica.origin.Model;
import io.harmonica.repository.Names;
import io.harmonica.router.Route;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

class EngineTest {
  private static final Denoiser DIT = Model.named("DiT-S/8").denoiser(); // 12 blocks

  /** Block 0 as {@code c1}, block 1 as {@code 23}, the others computed. */
  private static Route route() {
    List<Integer> histories = new java.util.ArrayList<>(Collections.nCopies(24, 0));
    histories.set(1, 1);
    histories.set(2, 2);
    histories.set(3, 3);
    return new Route(histories, Collections.nCopies(24, false));
  }

  private static List<String> names(int blocksPerEngine) {
    return Engine.of(DIT, route(), blocksPerEngine).stream()
        .map(e -> Names.engine(e.role(DIT)))
        .toList();
  }

  @Test
  void of_oneBlockAnEngine_namesBlockAndVariant() {
    assertThat(names(1))
        .hasSize(15)
        .startsWith("condition", "embed", "block00-c1", "block01-23", "block02-cc")
        .endsWith("block11-cc", "head");
  }

  @Test
  void of_severalBlocksAnEngine_leavesTheRestToTheLast() {
    assertThat(names(5))
        .containsExactly(
            "condition",
            "embed",
            "block00-04-c123cccccc",
            "block05-09-cccccccccc",
            "block10-11-cccc",
            "head");
    assertThat(names(11)).contains("block11-cc");
    assertThat(names(100)).hasSize(4).contains("block00-11-c123" + "c".repeat(20));
  }

  @Test
  void of_wholeStep_isOneEngine() {
    assertThat(names(0)).containsExactly("step-c123" + "c".repeat(20));
    Engine step = Engine.of(DIT, route(), 0).get(0);
    assertThat(step.embed()).isTrue();
    assertThat(step.head()).isTrue();
    assertThat(Names.engine(step.computed().role(DIT))).isEqualTo("step-" + "c".repeat(24));
  }
}
