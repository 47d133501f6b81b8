package io.harmonica.generate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.harmonica.Checkpoints;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.metrics.Metrics;
import io.harmonica.model.CacheBytes;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PipelineMetricsTest {
  @TempDir static Path repository;

  private static Savings savings;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();

  @BeforeAll
  static void export() {
    try (Checkpoint checkpoint = Checkpoint.open(Checkpoints.DIT)) {
      Model model = Exports.model(checkpoint);
      Router router = Exports.everyOther("half", model);
      savings = Savings.of(router, model.flops(), CacheBytes.of(model.denoiser()));
      new Exporter(model, List.of(router), ExportOptions.of("dit").withForce(true))
          .export(repository);
    }
  }

  private double count(String name, String... tags) {
    return registry.get("harmonica." + name).tags(tags).counter().count();
  }

  private long timed(String part) {
    return registry.get("harmonica.latency").tag("part", part).timer().count();
  }

  @Test
  void generate_countsPicturesStepsBranchesAndFlops() {
    try (Pipeline pipeline =
        Pipeline.builder("dit").repository(repository).metrics(new Metrics(registry)).open()) {
      pipeline.generate(Request.of(List.of(0, 1, 2)).withRouter("half"));
      assertThat(count("pictures", "router", "half", "outcome", "done")).isEqualTo(3);
      assertThat(count("steps", "router", "half")).isEqualTo(2 * 3);
      assertThat(count("branches", "how", "reused")).isEqualTo(3 * savings.reused());
      assertThat(count("branches", "how", "computed"))
          .isEqualTo(3.0 * savings.computedPerStep().get(0));
      double computed = count("flops", "how", "computed");
      double saved = count("flops", "how", "saved");
      assertThat((computed + saved) / computed)
          .isCloseTo(savings.theoreticalSpeedup().orElseThrow(), within(1e-12));
      assertThat(computed + saved)
          .isEqualTo(2.0 * 2 * 3 * pipeline.manifest().flops().full()); // steps, guidance, pictures
      assertThat(timed("request")).isEqualTo(1);
      assertThat(timed("step")).isEqualTo(2);
      double step =
          registry
              .get("harmonica.latency")
              .tag("part", "step")
              .timer()
              .totalTime(java.util.concurrent.TimeUnit.NANOSECONDS);
      double parts = 0;
      for (String part : List.of("runtime", "loop")) {
        parts +=
            registry
                .get("harmonica.latency")
                .tag("part", part)
                .timer()
                .totalTime(java.util.concurrent.TimeUnit.NANOSECONDS);
      }
      assertThat(parts).isEqualTo(step);
      assertThat(count("bytes", "path", "wire.sent")).isZero();
    }
  }

  @Test
  void generate_thatFailsOrIsCancelled_isCountedSo() {
    try (Pipeline pipeline =
        Pipeline.builder("dit").repository(repository).metrics(new Metrics(registry)).open()) {
      Request request = Request.of(List.of(0)).withRouter("half");
      assertThatThrownBy(() -> pipeline.generate(request, step -> false))
          .isInstanceOf(CancellationException.class);
      assertThatThrownBy(() -> pipeline.generate(Request.of(List.of(99))))
          .hasMessageContaining("unknown class 99");
      assertThat(count("pictures", "outcome", "cancelled")).isEqualTo(1);
      assertThat(count("pictures", "outcome", "failed")).isEqualTo(1);
      assertThat(count("steps", "router", "half")).isEqualTo(1);
    }
  }
}
