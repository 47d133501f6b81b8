package io.harmonica.generate;

import static io.harmonica.Golden.floats;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.origin.Model;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.runtime.ForwardingRuntime;
import io.harmonica.runtime.HandleLedger;
import io.harmonica.runtime.Plan;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Session;
import io.harmonica.runtime.Tensor;
import io.harmonica.sampler.SkipLayerGuidance;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Wherever the memory for a tensor ends, those that were made before are closed. */
@Tag("golden")
class FailingTensorsTest {
  private static final String FLAVOUR = "sd3/sd35-medium";
  private static final int STEPS = 4;

  @TempDir Path folder;

  /** A real runtime that makes so many tensors, and then no more. */
  private static final class Limited extends ForwardingRuntime {
    private final boolean shares;
    private int left;

    Limited(Runtime runtime, boolean shares) {
      super(runtime);
      this.shares = shares;
    }

    private void count() {
      if (left-- == 0) {
        throw new IllegalStateException("no memory");
      }
    }

    @Override
    public Tensor tensor(FloatBuffer values, long... shape) {
      count();
      return super.tensor(values, shape);
    }

    @Override
    public Tensor tensor(LongBuffer values, long... shape) {
      count();
      return super.tensor(values, shape);
    }

    @Override
    public boolean sharesMemory() {
      return shares;
    }

    @Override
    public Session session(Supplier<Plan> plan) {
      return shares ? runtime.session(plan) : Session.of(this);
    }
  }

  private Request export(Checkpoint vectors) {
    JsonNode run = Golden.json(FLAVOUR + "/pipeline.json");
    try (Checkpoint source = Golden.open(FLAVOUR)) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      new Exporter(model, List.of(), ExportOptions.of("sd3"))
          .withSkipLayers(Set.of(1))
          .withWholePictures(List.of("none"))
          .export(folder);
    }
    return Sd3PipelineGoldenTest.request(run, vectors);
  }

  /** How many tensors it takes; each fewer fails, and leaves nothing open. */
  private static int taken(Pipeline pipeline, Limited limited, HandleLedger ledger, Request what) {
    for (int tensors = 0; ; tensors++) {
      limited.left = tensors;
      boolean done = false;
      try {
        pipeline.generate(what);
        done = true;
      } catch (IllegalStateException e) {
        assertThat(e).hasMessage("no memory");
      }
      assertThat(ledger.open()).as("after " + tensors + " tensors").isEmpty();
      if (done) {
        return tensors;
      }
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void stepByStep_conditionsAheadOrNot(boolean ahead) {
    try (Checkpoint vectors = Golden.open(FLAVOUR + "/traj_skip_layer_guidance.safetensors")) {
      Request request =
          export(vectors)
              .withSteps(STEPS)
              .withSkipLayerGuidance(new SkipLayerGuidance(2.8, 0.01, 0.6));
      HandleLedger ledger = new HandleLedger(EmbeddedRuntime.open(folder));
      Limited limited = new Limited(ledger, ahead);
      try (Pipeline pipeline = Pipeline.over(limited, "sd3")) {
        limited.left = Integer.MAX_VALUE;
        float[] expected = pipeline.generate(request).latents().values();
        assertThat(taken(pipeline, limited, ledger, request)).isGreaterThan(STEPS);
        limited.left = Integer.MAX_VALUE;
        assertThat(pipeline.generate(request).latents().values()).isEqualTo(expected);
        assertThat(expected).hasSameSizeAs(floats(vectors, "latents"));
      }
    }
  }

  @Test
  void wholePicture() {
    try (Checkpoint vectors = Golden.open(FLAVOUR + "/traj_cfg.safetensors")) {
      Request request = export(vectors).withSteps(20);
      HandleLedger ledger = new HandleLedger(EmbeddedRuntime.open(folder));
      Limited limited = new Limited(ledger, true);
      try (Pipeline pipeline = Pipeline.builder("sd3").runtime(limited).whole().open()) {
        assertThat(taken(pipeline, limited, ledger, request)).isEqualTo(6); // noise, scale, 2 texts
      }
    }
  }
}
