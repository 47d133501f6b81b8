package io.harmonica.export;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.Golden;
import io.harmonica.Timesteps;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Resolution;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Policy;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Run;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Exports checkpoints for tests. */
public final class Exports {
  private Exports() {}

  private static final int UVIT_HEADS = 3;

  /** Exports and returns the repository. */
  public static Path export(
      Path checkpoint, OptionalInt heads, List<Router> routers, ExportOptions options, Path to) {
    try (Checkpoint source = Checkpoint.open(checkpoint)) {
      new Exporter(Model.of(source, heads), routers, options).export(to);
      return to;
    }
  }

  /** Names a router in a base model's manifest that the exporter would refuse. */
  public static void addRouter(Path base, Router router) {
    ModelConfig config = ConfigFile.read(base);
    String manifest = Manifest.of(config).with(router).toJson();
    ModelConfig more =
        config.toBuilder().putParameters(Manifest.KEY, Configs.parameter(manifest)).build();
    try {
      Files.writeString(base.resolve(ConfigFile.NAME), ConfigFile.print(more));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes a repository what an export wrote before configurations stated roles. */
  public static void removeRoles(Path repository) throws IOException {
    for (Path folder : Occupants.folders(repository)) {
      ModelConfig.Builder config = ConfigFile.read(folder).toBuilder();
      for (String parameter : List.of("role", "blocks", "variant", "router")) {
        config.removeParameters("harmonica_" + parameter);
      }
      Files.writeString(folder.resolve(ConfigFile.NAME), ConfigFile.print(config.build()));
    }
  }

  public static Model model(Checkpoint checkpoint) {
    return Model.of(checkpoint, OptionalInt.empty());
  }

  /** {@link io.harmonica.Checkpoints#UVIT}, of which the file does not say all. */
  public static Model uVit(Checkpoint checkpoint, UVitSchedule schedule) {
    return Model.of(
        checkpoint, Choices.NONE.withHeads(OptionalInt.of(UVIT_HEADS)).withSchedule(schedule));
  }

  /** The same router for another sampler. */
  public static Router forSampler(Router router, String sampler, List<Integer> timesteps) {
    return forSampler(router, sampler, Timesteps.of(timesteps));
  }

  /** The same at any times. */
  public static Router forSampler(Router router, String sampler, Timesteps timesteps) {
    return new Router(
        router.name(),
        router.model(),
        sampler,
        timesteps.size(),
        timesteps,
        router.threshold(),
        router.branches(),
        router.runs(),
        router.scores(),
        router.reuse(),
        router.training());
  }

  /** The rule's router for the model's sampler, or a scheduler's. */
  public static Router router(
      String name, Policy policy, Model model, Sampling sampling, int steps) {
    return policy.router(
        name,
        model.denoiser().architecture(),
        sampling.sampler(),
        sampling.sampler(sampling.sampler(), steps, Optional.empty()).timesteps(),
        model.denoiser().branchNames());
  }

  /**
   * Sizes that a flow's checkpoint leaves free, as they were of a trajectory.
   *
   * @param run the folder's {@code pipeline.json}
   */
  public static Choices choices(JsonNode run, Checkpoint vectors) {
    return Choices.NONE
        .withPixelsPerElement(run.path("vae_scale_factor").asInt())
        .withResolution(new Resolution(run.path("height").asInt(), run.path("width").asInt()))
        .withTextTokens(Golden.size(vectors, "prompt_embeds", 1));
  }

  /** By the scheduler of a folder of golden vectors. */
  public static Sampling sampling(Model model, String flavour) {
    return model
        .denoiser()
        .io()
        .sampling()
        .withScheduler(Golden.path(flavour + "/scheduler/scheduler_config.json"));
  }

  /** A router over given timesteps of DDIM from a table of what is computed. */
  public static Router router(
      String name, Model model, List<Integer> timesteps, boolean[][] computes, Reuse reuse) {
    return router(name, model, "ddim", Timesteps.of(timesteps), computes, List.of(), reuse);
  }

  /** One that reuses a run wherever the table reuses all its branches. */
  public static Router router(
      String name,
      Model model,
      List<Integer> timesteps,
      boolean[][] computes,
      List<Run> runs,
      Reuse reuse) {
    return router(name, model, "ddim", Timesteps.of(timesteps), computes, runs, reuse);
  }

  /** The same for another sampler. */
  public static Router router(
      String name,
      Model model,
      String sampler,
      Timesteps timesteps,
      boolean[][] computes,
      List<Run> runs,
      Reuse reuse) {
    double[][] scores = new double[computes.length][];
    for (int s = 0; s < computes.length; s++) {
      boolean[] row = computes[s];
      scores[s] =
          IntStream.concat(
                  IntStream.range(0, row.length).map(b -> row[b] ? 1 : 0),
                  runs.stream()
                      .mapToInt(run -> run.branches().anyMatch(branch -> row[branch]) ? 1 : 0))
              .asDoubleStream()
              .toArray();
    }
    return new Router(
        name,
        model.denoiser().architecture(),
        sampler,
        timesteps.size(),
        timesteps,
        0.5,
        model.denoiser().branchNames(),
        runs,
        scores,
        reuse,
        com.fasterxml.jackson.databind.node.JsonNodeFactory.instance.objectNode());
  }

  /**
   * Step 0 computes every branch, later ones each {@code period}th of them, another one at each
   * step: so every step stores some and reuses some.
   */
  public static Router staggered(String name, Model model, int steps, int period, Reuse reuse) {
    boolean[][] computes = new boolean[steps][model.denoiser().branches().size()];
    for (int s = 0; s < steps; s++) {
      for (int b = 0; b < computes[s].length; b++) {
        computes[s][b] = s == 0 || (s + b) % period == 0;
      }
    }
    return router(name, model, steps, computes, reuse);
  }

  /** Over the timesteps that the model's own sampler takes, DDIM's of whole ones. */
  private static Router router(
      String name, Model model, int steps, boolean[][] computes, Reuse reuse) {
    Sampling usual = model.denoiser().io().sampling();
    if (usual.noising() instanceof Diffusion) {
      return router(name, model, Spacing.LEADING.timesteps(steps, 1000), computes, reuse);
    }
    Timesteps timesteps = usual.sampler(usual.sampler(), steps, Optional.empty()).timesteps();
    return router(name, model, usual.sampler(), timesteps, computes, List.of(), reuse);
  }

  /** Step 0 computes and stores every branch, step 1 reuses every branch. */
  public static Router everyOther(String name, Model model) {
    int branches = model.denoiser().branches().size();
    boolean[][] computes = new boolean[2][branches];
    Arrays.fill(computes[0], true);
    return router(name, model, 2, computes, Reuse.LAST);
  }
}
