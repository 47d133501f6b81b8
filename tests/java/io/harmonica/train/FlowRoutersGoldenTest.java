package io.harmonica.train;

import static io.harmonica.Golden.assertClose;
import static io.harmonica.Golden.floats;
import static io.harmonica.Golden.size;
import static io.harmonica.Golden.trajectoryTolerance;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.PackedLatents;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.export.Exports;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Request;
import io.harmonica.model.Denoiser;
import io.harmonica.origin.Model;
import io.harmonica.picture.Latents;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.TrainOptions.Control;
import io.harmonica.train.TrainOptions.Lambda;
import io.harmonica.train.TrainOptions.Objective;
import io.harmonica.train.TrainOptions.Reuses;
import io.harmonica.train.TrainOptions.Reusing;
import io.harmonica.train.trajectory.Captions;
import io.harmonica.train.trajectory.Denoising;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Routers of FLUX.1, by rules and trained, through engines: what they draw is the same mathematics,
 * of caching and of the sampler, written out here.
 */
@Tag("golden")
class FlowRoutersGoldenTest {
  private static final String FLAVOUR = "flux/dev";
  private static final double GUIDANCE = 3.5;

  @TempDir Path folder;

  private final JsonNode run = Golden.json(FLAVOUR + "/pipeline.json");

  /** An output that was computed. */
  private record Past(int step, float[] values, long[] shape) {}

  @Test
  void foraTaylorAndTrained_areTheirMathematics() {
    try (Checkpoint source = Golden.open(FLAVOUR);
        Checkpoint vectors = Golden.open(FLAVOUR + "/traj_plain.safetensors")) {
      Model model = Model.of(source, Exports.choices(run, vectors));
      Sampling sampling = Exports.sampling(model, FLAVOUR);
      Captions captions = captions(vectors);
      Sampler sampler = sampling.sampler("flow-euler", run.path("steps").asInt(), Optional.empty());
      try (TorchOps ops = TorchOps.open(model.weights(), Device.of("cpu"), Precision.FP32)) {
        Denoising denoising =
            new Denoising(ops, model.denoiser(), sampler, GUIDANCE, 16, Optional.of(captions));
        Router fora = rule("fora", new Fora(2), model, sampler);
        Router taylor = rule("taylor", new Taylor(2, 1), model, sampler);
        Router trained = trained(ops, model, Digest.of(source), sampler, sampling, captions);
        assertThat(reused(trained)).isPositive();
        List<Router> routers = List.of(fora, taylor, trained);
        new Exporter(model, routers, ExportOptions.of("flux"))
            .withSampling(sampling)
            .export(folder.resolve("models"));
        Latents start = start(vectors, model.denoiser().io());
        try (Pipeline pipeline = Pipeline.open(folder.resolve("models"), "flux")) {
          List<float[]> drawn = new ArrayList<>();
          for (Router router : routers) {
            float[] expected = drawn(denoising, router, start.values(), floats(vectors, "sigmas"));
            float[] found = pipeline.generate(request(vectors, start, router)).latents().values();
            assertClose(router.name(), found, expected, trajectoryTolerance(expected));
            drawn.add(found);
          }
          assertThat(Golden.difference(drawn.get(0), drawn.get(1))).isGreaterThan(1e-3);
          assertThat(Golden.difference(drawn.get(0), drawn.get(2))).isGreaterThan(1e-3);
        }
      }
    }
  }

  /** Euler's steps between the vectors' sigmas, with branches that compute or reuse. */
  private static float[] drawn(Denoising denoising, Router router, float[] start, float[] sigmas) {
    float[] x = start.clone();
    List<List<Past>> past = new ArrayList<>(); // by branch, newest first
    for (int b = 0; b < router.branches().size(); b++) {
      past.add(new ArrayList<>());
    }
    boolean forecasts = router.name().equals("taylor");
    for (int s = 0; s < router.steps(); s++) {
      int step = s;
      try (Scope scope = Scope.withoutGradients()) {
        TorchOps ops = denoising.ops();
        Value sample = ops.input(x, 2, 16, 6, 10);
        Value velocity =
            denoising.pass(
                denoising.begin(s, sample, new int[] {0, 1}),
                (branch, computed) -> {
                  List<Past> own = past.get(branch);
                  if (!router.computes(step, branch)) {
                    float[] reused = forecasts ? taylor(own, step) : own.get(0).values;
                    return ops.input(reused, own.get(0).shape);
                  }
                  Value output = computed.get();
                  own.add(0, new Past(step, output.floats(), output.shape()));
                  return output;
                });
        float[] v = velocity.floats();
        for (int i = 0; i < x.length; i++) {
          x[i] += (sigmas[s + 1] - sigmas[s]) * v[i];
        }
      }
    }
    return x;
  }

  /** TaylorSeer's first order (arXiv 2503.06923): f1 + (s - s1) (f1 - f2) / (s1 - s2). */
  private static float[] taylor(List<Past> past, int step) {
    Past newest = past.get(0);
    if (past.size() == 1) {
      return newest.values;
    }
    Past before = past.get(1);
    double ahead = (double) (step - newest.step) / (newest.step - before.step);
    float[] forecast = new float[newest.values.length];
    for (int i = 0; i < forecast.length; i++) {
      forecast[i] = (float) (newest.values[i] + ahead * (newest.values[i] - before.values[i]));
    }
    return forecast;
  }

  private static Router rule(String name, Policy policy, Model model, Sampler sampler) {
    Denoiser denoiser = model.denoiser();
    return policy.router(
        name, denoiser.architecture(), "flow-euler", sampler.timesteps(), denoiser.branchNames());
  }

  private Router trained(
      TorchOps ops,
      Model model,
      String digest,
      Sampler sampler,
      Sampling sampling,
      Captions captions) {
    Task task =
        new Task(
            "trained",
            model.denoiser(),
            digest,
            model.flops(),
            new Task.Sampled("flow-euler", sampler, sampling, Spacing.TRAILING),
            Optional.of(captions));
    int steps = sampler.timesteps().size();
    TrainOptions options =
        new TrainOptions(
            new TrainOptions.Trajectory("flow-euler", steps, "trailing", GUIDANCE, 16),
            Objective.SDT,
            Reuses.of(Reusing.LAST),
            new TrainOptions.ErrorWeights(Lambda.PAPER, 2),
            Control.cur(0.4),
            Start.RANDOM,
            new TrainOptions.Effort(2, 1, 7, 0.05, 0),
            0.1);
    TrainingFiles files = new TrainingFiles(folder.resolve("trained.json"));
    new Trainer(task, ops, options, files, TrainerTest.progress(new ArrayList<>()))
        .run(Optional.empty());
    return Router.read(files.router());
  }

  private static long reused(Router router) {
    long reused = 0;
    for (int s = 0; s < router.steps(); s++) {
      for (int b = 0; b < router.branches().size(); b++) {
        reused += router.computes(s, b) ? 0 : 1;
      }
    }
    return reused;
  }

  private static Captions captions(Checkpoint vectors) {
    List<Captions.Caption> texts = new ArrayList<>();
    int tokens = size(vectors, "prompt_embeds", 1) * size(vectors, "prompt_embeds", 2);
    int pooled = size(vectors, "pooled_prompt_embeds", 1);
    for (int i : List.of(0, 1, 0)) { // nothing leads away from the last
      texts.add(
          new Captions.Caption(
              Arrays.copyOfRange(floats(vectors, "prompt_embeds"), i * tokens, (i + 1) * tokens),
              Arrays.copyOfRange(
                  floats(vectors, "pooled_prompt_embeds"), i * pooled, (i + 1) * pooled)));
    }
    return new Captions(texts, size(vectors, "prompt_embeds", 2));
  }

  private static Latents start(Checkpoint vectors, Denoiser.Interface io) {
    PackedLatents packing = new PackedLatents(io.channels(), io.height(), io.width());
    float[] values = packing.unpack(floats(vectors, "latents"));
    return new Latents(values, 2, io.channels(), io.height(), io.width());
  }

  private static Request request(Checkpoint vectors, Latents start, Router router) {
    Embeddings texts = Golden.texts(vectors, "prompt_embeds", "pooled_prompt_embeds");
    return Request.of(new Content.Texts(texts, Optional.empty()))
        .withRouter(router.name())
        .withLatents(start);
  }
}
