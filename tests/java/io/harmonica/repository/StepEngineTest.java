package io.harmonica.repository;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Flow;
import io.harmonica.sampler.Linear;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class StepEngineTest {

  /** Repositories of DiT stay as they are, and no request carries a tensor that nothing reads. */
  @Test
  void of_isTheLeastThatTheModelsSamplersNeed() {
    assertThat(StepEngine.of(Diffusion.DDPM)).isEqualTo(StepEngine.LINEAR);
    assertThat(StepEngine.of(Flow.of(64))).isEqualTo(StepEngine.LINEAR);
    assertThat(StepEngine.of(AnyTime.DISCRETE)).isEqualTo(StepEngine.SINGLESTEP);
    assertThat(StepEngine.of("singlestep")).isEqualTo(StepEngine.SINGLESTEP);
    for (StepEngine engine : StepEngine.values()) {
      assertThat(engine.toString()).isEqualTo(engine.name().toLowerCase(Locale.ROOT));
    }
  }

  /** An older engine would go out from the wrong sample. */
  @Test
  void stepsWithinAnUpdate_areNoneOfAnOlderEngines() {
    Sampler sampler = AnyTime.DISCRETE.sampler("dpm-solver-fast", 9, Spacing.UNIFORM);
    IntStream.range(0, 9)
        .forEach(
            step -> {
              boolean within = sampler.linear(step).filter(Linear::isWithin).isPresent();
              assertThat(within).isEqualTo(!sampler.beginsUpdate(step));
              assertThat(StepEngine.LINEAR.numbers(sampler, step).isEmpty()).isEqualTo(within);
              assertThat(StepEngine.DDIM.numbers(sampler, step)).isEmpty();
              assertThat(StepEngine.SINGLESTEP.numbers(sampler, step).orElseThrow()).hasSize(10);
            });
    assertThat(StepEngine.LINEAR.size("dpm-solver-fast", 5)).isEqualTo(1);
    assertThat(StepEngine.SINGLESTEP.size("dpm-solver-fast", 5)).isEqualTo(5);
  }
}
