package io.harmonica.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.Cut;
import io.harmonica.repository.Ensemble;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.triton.ModelControl;
import io.harmonica.triton.TritonRuntime;
import io.harmonica.whole.WholeModels;
import io.harmonica.whole.WholePicture;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Adds routers to a model on a running server, and takes them off.
 *
 * <p>On a server, a router is a set of ensembles, one for each route and each stretch, over engines
 * that the server has already. Loading them needs no files, and other requests go on meanwhile. The
 * base ensemble, whose manifest tells clients of the router, is loaded again as the last one: so no
 * client sees half a router. All this lasts until the server ends; the repository on its disk stays
 * as it is.
 */
public final class Deployment {
  private static final int SHOWN = 6;

  private final TritonRuntime server;
  private final String address;
  private final ModelControl models;
  private final ModelConfig base;
  private final Manifest manifest;

  /**
   * Looks at the model.
   *
   * @param address for messages
   * @param server stays the caller's
   */
  public Deployment(String address, TritonRuntime server, String model) {
    this.address = address;
    this.server = server;
    this.models = server.models();
    this.base = server.config(model);
    this.manifest = Manifest.of(base);
  }

  /** The model's manifest, with the routers that the server has now. */
  public Manifest manifest() {
    return manifest;
  }

  /** Adds a router, without pictures in one request. */
  public List<String> deploy(Router router, boolean anyWeights) {
    return deploy(router, anyWeights, false);
  }

  /**
   * Adds a router.
   *
   * @param anyWeights whether to take one that was trained on other weights
   * @param picture whether to add an ensemble that makes a picture in one request, too
   * @return the ensembles that were loaded
   * @throws HarmonicaException where it does not fit the model, or engines are missing; the server
   *     then is as it was
   */
  public List<String> deploy(Router router, boolean anyWeights, boolean picture) {
    requireFits(router, anyWeights);
    Optional<WholePicture> whole =
        picture ? Optional.of(WholePicture.of(manifest, router)) : Optional.empty();
    Schedule schedule = Schedule.of(router);
    Map<String, Stretch> stretches =
        Program.ensembles(
            manifest.model(),
            router.name(),
            schedule,
            manifest.steps().size(router.sampler(), manifest.stepsPerRequest()));
    Cut cut = UncachedStep.of(base, manifest, server::config);
    Set<String> needed = new LinkedHashSet<>();
    schedule.routes().forEach(route -> cut.of(route).forEach(turn -> needed.add(engine(turn))));
    loadEngines(router, needed);
    Map<String, ModelConfig> engines = new LinkedHashMap<>();
    needed.forEach(engine -> engines.put(engine, part(engine)));
    List<ModelConfig> conditions =
        cut.pieces().stream()
            .filter(piece -> piece.kind() == Role.Kind.CONDITION)
            .map(piece -> engines.get(Names.engine(manifest.model(), piece)))
            .toList();
    List<ModelConfig> ensembles = new ArrayList<>();
    stretches.forEach(
        (name, stretch) -> {
          ModelConfig ensemble = ensemble(name, router, stretch, cut, engines);
          ensembles.add(ensemble);
          if (manifest.conditioned() && stretch.steps() == 1) {
            ensembles.add(Ensemble.conditioned(ensemble, conditions));
          }
        });
    List<WholeModels.Small> small = new ArrayList<>();
    whole.ifPresent(some -> addPicture(some, router, cut, engines, ensembles, small));
    List<ModelConfig> all = new ArrayList<>(ensembles);
    small.forEach(engine -> all.add(engine.config()));
    requireOwn(router, all);
    List<String> loaded = new ArrayList<>();
    try {
      for (WholeModels.Small engine : small) {
        models.load(engine.config(), engine.graph().bytes());
        loaded.add(0, engine.config().getName());
      }
      for (ModelConfig ensemble : ensembles) {
        loaded.add(0, ensemble.getName());
        load(ensemble);
      }
      models.load(with(manifest.with(router)));
    } catch (HarmonicaException e) {
      loaded.forEach(this::unloadQuietly);
      throw e;
    }
    return ensembles.stream().map(ModelConfig::getName).toList();
  }

  /**
   * Adds what makes a picture in one request.
   *
   * @param ensembles filled
   * @param small engines without weights that the server lacks, filled
   */
  private void addPicture(
      WholePicture picture,
      Router router,
      Cut cut,
      Map<String, ModelConfig> engines,
      List<ModelConfig> ensembles,
      List<WholeModels.Small> small) {
    Set<String> there =
        models.index().stream().map(ModelControl.Entry::name).collect(Collectors.toSet());
    String sampler = manifest.steps().engine(manifest.model());
    if (!there.contains(sampler)) {
      throw new HarmonicaException(
          HarmonicaException.Kind.SERVER,
          "Triton server %s lacks engine %s, which makes the sampler's steps of a picture: export model %s with `picture` or `stepsPerRequest`"
              .formatted(address, sampler, manifest.model()));
    }
    ModelConfig steps = ensemble(picture.name(), router, picture.stretch(), cut, engines);
    WholeModels whole = new WholeModels(picture, steps, this::part);
    for (WholeModels.Small engine : whole.engines()) {
      String name = engine.config().getName();
      if (!there.contains(name) || !isPart(name)) {
        small.add(engine);
      }
    }
    ensembles.addAll(whole.ensembles());
  }

  /**
   * Loads an ensemble. Triton 2.51 looks for all that it runs in the repository again: it loads a
   * picture's over engines that came with a request, and answers nevertheless that it could not.
   */
  private void load(ModelConfig ensemble) {
    try {
      models.load(ensemble);
    } catch (HarmonicaException e) {
      boolean picture =
          Role.of(ensemble).filter(role -> role.kind() == Role.Kind.PICTURE).isPresent();
      if (!picture || !isPart(ensemble.getName())) {
        throw e;
      }
    }
  }

  /** Whether a model is loaded, and this base model's. */
  private boolean isPart(String name) {
    return Parts.of(server)
        .config(name)
        .filter(config -> Role.isPart(config, manifest.model()))
        .isPresent();
  }

  private ModelConfig ensemble(
      String name, Router router, Stretch stretch, Cut cut, Map<String, ModelConfig> engines) {
    return Ensemble.of(
        name,
        manifest.model(),
        Role.call(router.name()),
        IntStream.range(0, stretch.steps())
            .mapToObj(step -> links(cut.of(stretch.route(step)), engines))
            .toList(),
        () -> part(manifest.steps().engine(manifest.model())),
        manifest.branches(),
        stretch);
  }

  private String engine(Cut.Turn turn) {
    return Names.engine(manifest.model(), turn.role());
  }

  private List<Ensemble.Link> links(List<Cut.Turn> turns, Map<String, ModelConfig> engines) {
    return turns.stream().map(turn -> new Ensemble.Link(engines.get(engine(turn)), turn)).toList();
  }

  private void requireFits(Router router, boolean anyWeights) {
    router.requireFits(manifest.architecture(), manifest.branches());
    manifest.requireDraws(router);
    if (router.name().equals(Names.NO_ROUTER)) {
      throw new HarmonicaException("router name 'none' stands for no router: give it another");
    }
    JsonNode there = manifest.routers().get(router.name());
    if (there != null && !there.equals(Manifest.json(router))) {
      throw new HarmonicaException(
          "model %s on %s has another router '%s': undeploy that first, or give this one another name"
              .formatted(manifest.model(), address, router.name()));
    }
    Optional<String> trained =
        anyWeights || manifest.digest() == null
            ? Optional.empty()
            : router.otherWeights(manifest.digest());
    if (trained.isPresent()) {
      throw new HarmonicaException(
          "router '%s' was trained on weights with digest %s, model %s on %s has %s: train it on these, or insist by `anyWeights`"
              .formatted(
                  router.name(), trained.get(), manifest.model(), address, manifest.digest()));
    }
  }

  /** Loads those that lie in the repository; the others nobody can make here. */
  private void loadEngines(Router router, Set<String> needed) {
    Set<String> ready =
        models.index().stream()
            .filter(ModelControl.Entry::isReady)
            .map(ModelControl.Entry::name)
            .collect(Collectors.toSet());
    Set<String> there =
        models.index().stream().map(ModelControl.Entry::name).collect(Collectors.toSet());
    List<String> missing = needed.stream().filter(name -> !there.contains(name)).toList();
    if (!missing.isEmpty()) {
      throw new HarmonicaException(
          HarmonicaException.Kind.SERVER,
          "Triton server %s lacks %d %s that router '%s' needs: %s; export them into its repository with bin/harmonica-export --checkpoint ... --model-name %s --router FILE --force, naming the other routers too"
              .formatted(
                  address,
                  missing.size(),
                  missing.size() == 1 ? "engine" : "engines",
                  router.name(),
                  shown(missing),
                  manifest.model()));
    }
    needed.stream().filter(name -> !ready.contains(name)).forEach(models::load);
  }

  private static String shown(Collection<String> names) {
    String first = String.join(", ", names.stream().limit(SHOWN).toList());
    return names.size() > SHOWN ? first + " and " + (names.size() - SHOWN) + " more" : first;
  }

  /** An engine, which must be this model's: names of several models can be alike. */
  private ModelConfig part(String engine) {
    ModelConfig config = server.config(engine);
    if (!Role.isPart(config, manifest.model())) {
      throw new HarmonicaException(
          "'%s' on Triton server %s is %s, expected an engine of model %s: export one of the two under another `modelName`"
              .formatted(engine, address, whose(config), manifest.model()));
    }
    return config;
  }

  private static String whose(ModelConfig config) {
    return Role.owner(config)
        .map(owner -> "part of model " + owner)
        .orElse("not from harmonica-export");
  }

  /** Refuses to load an ensemble over a model that is, or may be, another's. */
  private void requireOwn(Router router, List<ModelConfig> ensembles) {
    Parts parts = Parts.of(server);
    for (ModelConfig ensemble : ensembles) {
      String name = ensemble.getName();
      Optional<String> other = otherUse(parts, name);
      if (other.isPresent()) {
        throw new HarmonicaException(
            "router '%s' of model %s needs the name '%s', which Triton server %s has already (%s): give the router another name"
                .formatted(router.name(), manifest.model(), name, address, other.get()));
      }
    }
  }

  private Optional<String> otherUse(Parts parts, String name) {
    return parts
        .config(name)
        .or(() -> parts.isClaimed(name, manifest.model()) ? asItLies(name) : Optional.empty())
        .filter(config -> !Role.isPart(config, manifest.model()))
        .map(config -> "it is " + whose(config));
  }

  /** The configuration of a model that is not loaded: it is for a moment. */
  private Optional<ModelConfig> asItLies(String name) {
    try {
      models.load(name);
    } catch (HarmonicaException e) {
      if (e.kind() == HarmonicaException.Kind.DEADLINE) {
        throw e; // it may be loaded yet
      }
      return Optional.empty(); // no more than a name that was loaded once
    }
    try {
      return Optional.of(server.config(name));
    } finally {
      models.unload(name);
    }
  }

  private void unloadQuietly(String ensemble) {
    try {
      models.unload(ensemble);
    } catch (HarmonicaException e) {
      // The fault that led here says what is wrong; nobody knows of this ensemble.
    }
  }

  /**
   * Takes a router off: out of the manifest first, then its ensembles. Trajectories that are on
   * their way with it fail.
   *
   * @return the models that were unloaded
   */
  public List<String> undeploy(String router) {
    List<String> ensembles =
        router.equals(Names.NO_ROUTER)
            ? List.of() // the model itself
            : Parts.of(server).of(manifest.model(), router);
    boolean known = manifest.routers().containsKey(router);
    if (!known && ensembles.isEmpty()) {
      throw new HarmonicaException(
          "model %s on %s has no router '%s', it has %s: name one of these"
              .formatted(
                  manifest.model(),
                  address,
                  router,
                  manifest.routers().isEmpty()
                      ? "none"
                      : String.join(", ", manifest.routers().keySet())));
    }
    if (known) {
      models.load(with(manifest.without(router)));
    }
    ensembles.forEach(models::unload);
    return ensembles;
  }

  /** The base ensemble as the export wrote it, but for the manifest. */
  private ModelConfig with(Manifest other) {
    ModelParameter parameter = ModelParameter.newBuilder().setStringValue(other.toJson()).build();
    return ModelConfig.newBuilder()
        .setName(base.getName())
        .setPlatform(base.getPlatform())
        .setMaxBatchSize(base.getMaxBatchSize())
        .addAllInput(base.getInputList())
        .addAllOutput(base.getOutputList())
        .setEnsembleScheduling(base.getEnsembleScheduling())
        .putAllParameters(base.getParametersMap())
        .putParameters(Manifest.KEY, parameter)
        .build();
  }
}
