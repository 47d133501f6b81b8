package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.harmonica.Element;
import io.harmonica.Port;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Plan.Item;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LayoutTest {
  private static final int CALLS = 30;

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
  void places_ofTensorsThatLiveTogether_neverOverlap(int seed) {
    Random random = new Random(seed);
    for (int run = 0; run < 50; run++) {
      Plan plan = randomPlan(random, 1 + random.nextInt(120), () -> 1 + random.nextInt(5000));
      assertSound(plan, Layout.of(plan));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4})
  void memory_ofEqualTensors_isThatOfTheMostThatLiveTogether(int seed) {
    Random random = new Random(seed);
    for (int run = 0; run < 50; run++) {
      Plan plan = randomPlan(random, 1 + random.nextInt(120), () -> 1000);
      long most = 0;
      for (int call = 0; call < CALLS; call++) {
        int now = call;
        most = Math.max(most, plan.items().stream().filter(item -> item.livesAt(now)).count());
      }
      assertThat(Layout.of(plan).sizeBytes()).isEqualTo(most * 1024); // 1000, aligned
    }
  }

  private static Plan randomPlan(
      Random random, int count, java.util.function.IntSupplier sizeBytes) {
    List<Item> items = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int first = random.nextInt(CALLS);
      int last = random.nextInt(4) == 0 ? CALLS - 1 : first + random.nextInt(CALLS - first);
      items.add(new Item("t" + i, sizeBytes.getAsInt(), first, last));
    }
    return new Plan(items);
  }

  private static void assertSound(Plan plan, Layout layout) {
    for (Item a : plan.items()) {
      assertThat(layout.offset(a) % Layout.ALIGNMENT).isZero();
      assertThat(layout.offset(a) + a.sizeBytes()).isLessThanOrEqualTo(layout.sizeBytes());
      for (Item b : plan.items()) {
        boolean together = a.first() <= b.last() && b.first() <= a.last();
        boolean apart =
            layout.offset(a) + a.sizeBytes() <= layout.offset(b)
                || layout.offset(b) + b.sizeBytes() <= layout.offset(a);
        if (a != b && together) {
          assertThat(apart).as("%s and %s", a, b).isTrue();
        }
      }
    }
  }

  @Test
  void placeOfADeadTensor_isGivenAwayAgain_afterItsLastCall() {
    Item dying = new Item("a", 64, 0, 1);
    Item tooEarly = new Item("b", 64, 1, 2);
    Item next = new Item("c", 64, 2, 3);
    Layout layout = Layout.of(new Plan(List.of(next, dying, tooEarly)));
    assertThat(layout.offset(tooEarly)).isEqualTo(64);
    assertThat(layout.offset(next)).isEqualTo(layout.offset(dying)).isZero();
    assertThat(layout.sizeBytes()).isEqualTo(128);
  }

  @Test
  void find_prefersWhatTheCallBrings() {
    Item older = new Item("block00.mlp", 64, 0, 3);
    Item newer = new Item("block00.mlp", 64, 2, 5);
    Item throughout = new Item("sample", 64, 0, 9);
    Layout layout = Layout.of(new Plan(List.of(newer, older, throughout)));
    assertThat(layout.find("block00.mlp", 0)).contains(older);
    assertThat(layout.find("block00.mlp", 2)).contains(newer);
    assertThat(layout.find("block00.mlp", 5)).contains(newer);
    assertThat(layout.find("block00.mlp", 6)).isEmpty();
    assertThat(layout.find("sample", 7)).contains(throughout);
    assertThat(layout.find("other", 0)).isEmpty();
  }

  @Test
  void plan_leavesOutWhatHasNoFixedSize() {
    Plan plan =
        new Plan.Builder()
            .add(new Port("open", Element.FP32, Port.ANY, 4), 2, 0, 1)
            .add(new Port("words", Element.STRING, 4), 2, 0, 1)
            .add(new Port("half", Element.FP16, 3, 5), 2, 0, 1)
            .build();
    assertThat(plan.items()).containsExactly(new Item("half", 60, 0, 1));
    assertThat(Layout.of(new Plan(List.of())).sizeBytes()).isZero();
  }

  @Test
  void item_thatEndsBeforeItBegins_isRefused() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> new Item("x", 4, 3, 2))
        .withMessage("x of 4 bytes lives from call 3 to 2");
  }
}
