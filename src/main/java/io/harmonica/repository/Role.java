package io.harmonica.repository;

import io.harmonica.model.StreamLives;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.repository.proto.ModelParameter;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a model of an exported repository is there for, as parameters of its configuration say:
 * {@code dit-block03-c1} has role {@code block}, blocks {@code 03} and variant {@code c1}. Names
 * are made from it ({@link Names#engine}), and tell people the same; programs read this.
 *
 * @param blocks that a block engine covers, {@code 03} or {@code 00-04}; of a branch engine block
 *     and branch, {@code 03.mlp}; of one of several condition engines its number, {@code 00}; else
 *     empty
 * @param variant what an engine with branches does, a character for each of them, of one without
 *     weights how many outputs it takes; else empty
 * @param router whose steps a call or a picture runs, {@link Names#NO_ROUTER} for uncached ones;
 *     else empty
 * @param shape what an engine without weights is made for, and so which of them fit where: of
 *     branches that join alike, {@code mlp}, or streams that a run changes, {@code hidden}; a
 *     branch engine states that of its reuse; of an embed engine the {@link StreamLives}; else
 *     empty
 */
public record Role(Kind kind, String blocks, String variant, String router, String shape) {
  /** What there is. */
  public enum Kind {
    /** An ensemble of one or several denoising steps; the base model is one. */
    CALL,
    EMBED,
    CONDITION,
    /** An engine of some blocks. */
    BLOCK,
    /** What a block does before its branches, where each of these has an engine. */
    ENTER,
    /** An engine of one branch, which computes it and adds it. */
    BRANCH,
    /** An engine without weights that adds cached outputs of any branch of one shape. */
    REUSE,
    /** An engine without weights that adds cached outputs of a run. */
    RUN,
    /** An engine without weights that makes a run's output: what changed since its beginning. */
    CHANGE,
    /** What hands each branch the weights of its reuse, an engine without parameters. */
    WEIGHTS,
    /** An engine of a whole step. */
    STEP,
    HEAD,
    SAMPLER,
    /** An ensemble of a router's whole trajectory, from noise to a picture. */
    PICTURE,
    /** An engine without weights that makes noise of seeds. */
    NOISE,
    /** An engine without weights in front of a picture's steps. */
    BEGIN,
    /** An engine without weights behind a picture's steps. */
    END,
    /** An engine without weights that makes bytes of pixels. */
    PIXELS,
    DECODER,
    /** The text encoder, or an engine of it. */
    TEXT;

    private String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final String ROLE = "harmonica_role";
  private static final String BLOCKS = "harmonica_blocks";
  private static final String VARIANT = "harmonica_variant";
  private static final String ROUTER = "harmonica_router";
  private static final String SHAPE = "harmonica_shape";

  /** One of no shape. */
  public Role(Kind kind, String blocks, String variant, String router) {
    this(kind, blocks, variant, router, "");
  }

  public static Role of(Kind kind) {
    return new Role(kind, "", "", "");
  }

  public static Role block(String blocks, String variant) {
    return new Role(Kind.BLOCK, blocks, variant, "");
  }

  /** One of several engines of conditions, by a number of two digits. */
  public static Role condition(String number) {
    return new Role(Kind.CONDITION, number, "", "");
  }

  /** An engine of one branch. */
  public static Role branch(String branch, String shape) {
    return new Role(Kind.BRANCH, branch, "c", "", shape);
  }

  /** What takes the place of a branch engine where so many outputs are reused. */
  public Role reuse(int history) {
    return new Role(Kind.REUSE, "", "" + history, "", shape);
  }

  /** Adds so many cached outputs of a run. */
  public static Role run(String shape, int history) {
    return new Role(Kind.RUN, "", "" + history, "", shape);
  }

  /** Makes a run's output. */
  public static Role change(String shape) {
    return new Role(Kind.CHANGE, "", "", "", shape);
  }

  /** Begins a pass, in which blocks hand on these streams, too. */
  public static Role embed(StreamLives streams) {
    return new Role(Kind.EMBED, "", "", "", streams.toString());
  }

  public static Role enter(String block) {
    return new Role(Kind.ENTER, block, "", "");
  }

  public static Role step(String variant) {
    return new Role(Kind.STEP, "", variant, "");
  }

  public static Role call(String router) {
    return new Role(Kind.CALL, "", "", router);
  }

  /** A router's whole trajectory, or a part of it that no other router has. */
  public static Role whole(Kind kind, String router) {
    return new Role(kind, "", "", router);
  }

  public Role withVariant(String other) {
    return new Role(kind, blocks, other, router, shape);
  }

  public boolean isCall() {
    return kind == Kind.CALL;
  }

  /** Whether this is a router's, and goes with it. */
  public boolean isOf(String name) {
    return !router.isEmpty() && router.equals(name);
  }

  /** Whether clients ask for this: a call of a router, or its whole trajectory. */
  public boolean isAskedOf(String name) {
    return isOf(name) && (isCall() || kind == Kind.PICTURE);
  }

  /** The parameters that say so. */
  public Map<String, ModelParameter> parameters(String model) {
    Map<String, ModelParameter> parameters = new LinkedHashMap<>();
    put(parameters, Manifest.PART_OF, model);
    put(parameters, ROLE, kind.word());
    put(parameters, BLOCKS, blocks);
    put(parameters, VARIANT, variant);
    put(parameters, ROUTER, router);
    put(parameters, SHAPE, shape);
    return parameters;
  }

  private static void put(Map<String, ModelParameter> parameters, String key, String value) {
    if (!value.isEmpty()) {
      parameters.put(key, ModelParameter.newBuilder().setStringValue(value).build());
    }
  }

  /** The base model that a configuration says it is a part of; empty for a model not of ours. */
  public static Optional<String> owner(ModelConfig config) {
    return Optional.of(text(config, Manifest.PART_OF)).filter(owner -> !owner.isEmpty());
  }

  /** Whether a model is a part of this base model, which is one itself. */
  public static boolean isPart(ModelConfig config, String model) {
    return owner(config).filter(model::equals).isPresent();
  }

  /** The role that a configuration states; empty for a model not of ours, or of a later version. */
  public static Optional<Role> of(ModelConfig config) {
    String role = text(config, ROLE);
    if (role.isEmpty()) {
      return owner(config).flatMap(model -> RoleByName.of(model, config.getName()));
    }
    return Arrays.stream(Kind.values())
        .filter(kind -> kind.word().equals(role))
        .findFirst()
        .map(
            kind ->
                new Role(
                    kind,
                    text(config, BLOCKS),
                    text(config, VARIANT),
                    text(config, ROUTER),
                    text(config, SHAPE)));
  }

  /**
   * Adds the roles of a model and of the models that it runs, by name.
   *
   * @param configs of models, by name
   */
  public static void addTo(
      Map<String, Role> roles, String model, Function<String, ModelConfig> configs) {
    if (!roles.containsKey(model)) {
      ModelConfig config = configs.apply(model);
      of(config).ifPresent(role -> roles.put(model, role));
      config
          .getEnsembleScheduling()
          .getStepList()
          .forEach(step -> addTo(roles, step.getModelName(), configs));
    }
  }

  private static String text(ModelConfig config, String key) {
    return config.getParametersOrDefault(key, ModelParameter.getDefaultInstance()).getStringValue();
  }
}
