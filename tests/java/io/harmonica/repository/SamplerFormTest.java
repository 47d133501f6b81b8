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

class SamplerFormTest {

  /** Repositories of DiT stay as they are, and no request carries a tensor that nothing reads. */
  @Test
  void of_isTheLeastThatTheModelsSamplersNeed() {
    assertThat(SamplerForm.of(Diffusion.DDPM)).isEqualTo(SamplerForm.LINEAR);
    assertThat(SamplerForm.of(Flow.of(64))).isEqualTo(SamplerForm.LINEAR);
    assertThat(SamplerForm.of(AnyTime.DISCRETE)).isEqualTo(SamplerForm.SINGLESTEP);
    assertThat(SamplerForm.of("singlestep")).isEqualTo(SamplerForm.SINGLESTEP);
    for (SamplerForm engine : SamplerForm.values()) {
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
              assertThat(SamplerForm.LINEAR.numbers(sampler, step).isEmpty()).isEqualTo(within);
              assertThat(SamplerForm.DDIM.numbers(sampler, step)).isEmpty();
              assertThat(SamplerForm.SINGLESTEP.numbers(sampler, step).orElseThrow()).hasSize(10);
            });
    assertThat(SamplerForm.LINEAR.size("dpm-solver-fast", 5)).isEqualTo(1);
    assertThat(SamplerForm.SINGLESTEP.size("dpm-solver-fast", 5)).isEqualTo(5);
  }
}
