package io.harmonica.repository;

import io.harmonica.model.Denoiser;
import java.util.Optional;

/** How the tensors and models of an exported repository are called. */
public final class Names {
  public static final String SAMPLE = Denoiser.SAMPLE;
  public static final String TIMESTEP = "timestep";
  public static final String CLASS_LABEL = "class_label";
  public static final String TEXT_EMBEDDING = "text_embedding";
  public static final String TEXT_MASK = "text_mask";

  /** A vector for a whole text: fp32 [elements]. */
  public static final String POOLED_TEXT = "pooled_text";

  /** The scale of guidance, of a model that is told it: fp32 [1]. */
  public static final String GUIDANCE_SCALE = "guidance_scale";

  /** What the text encoder takes beside the mask: its tokens' ids. */
  public static final String INPUT_IDS = "input_ids";

  public static final String RESOLUTION = "resolution";
  public static final String ASPECT_RATIO = "aspect_ratio";

  /** What the decoder takes, as the denoising leaves it, and what it makes: about -1..1. */
  public static final String LATENTS = "latents";

  public static final String PIXELS = "pixels";

  /** What a whole trajectory starts from, and ends in: bytes, height by width by RGB. */
  public static final String NOISE = "noise";

  public static final String IMAGE = "image";

  /** What noise may be made of: each picture's own, int64 [1]. */
  public static final String SEED = "seed";

  private static final String NEGATIVE = "negative_";
  private static final String ROWS = "rows.";
  private static final String NEXT = "next_";

  /**
   * In ports of engines that serve many blocks: the block, and the output, that it is all about.
   */
  public static final String BLOCK = "block";

  public static final String OUTPUT = "output";
  private static final String BEFORE = "before.";

  public static final String NOISE_PREDICTION = "noise_prediction";

  /**
   * Weights of the reused outputs: fp32 [branches, {@link io.harmonica.router.Route#MAX_HISTORY}].
   */
  public static final String REUSE_WEIGHTS = "reuse_weights";

  private static final String WEIGHTS = "weights";

  /** What a sampler's engine takes beside sample and prediction, and what it makes. */
  public static final String UPDATE = "update";

  public static final String GUIDANCE = "guidance";
  public static final String CONDITIONAL = "conditional";
  public static final String UNCONDITIONAL = "unconditional";
  public static final String NEXT_SAMPLE = "next_sample";

  /**
   * The picture that the step before predicted, shaped as a sample; zeros before the first step.
   */
  public static final String STATE = "state";

  /** The sample at the start of an update, which evaluates the model several times. */
  public static final String START = "start";

  /** What stands for uncached steps where a router is named; so no router may be called this. */
  public static final String NO_ROUTER = "none";

  /** Parameter of an engine that multiplies 8 bits by 8 bits: {@code 1}. */
  public static final String INT8 = "harmonica_int8";

  /** Parameter of an engine, as Triton's onnxruntime backend has it: 0 keeps no freed memory. */
  public static final String MEMORY_ARENA = "enable_mem_arena";

  private Names() {}

  /** What guidance leads away from, of an input that says what to draw. */
  public static String negative(String input) {
    return NEGATIVE + input;
  }

  /** An input of steps in the rows of a pass, where a picture's is called so itself. */
  public static String rows(String input) {
    return ROWS + input;
  }

  /** A stream as an engine hands it on that may have taken it in; there it has its own name. */
  public static String next(String stream) {
    return NEXT + stream;
  }

  /** A stream as it was where a run began. */
  public static String before(String stream) {
    return BEFORE + stream;
  }

  /** The stream that such an input takes; empty where it is none. */
  static Optional<String> streamBefore(String input) {
    return input.startsWith(BEFORE)
        ? Optional.of(input.substring(BEFORE.length()))
        : Optional.empty();
  }

  /**
   * What an engine's output hands on, a stream or what the sampler takes at the next step; empty
   * where it is none.
   */
  static Optional<String> stream(String output) {
    return output.startsWith(NEXT)
        ? Optional.of(output.substring(NEXT.length()))
        : Optional.empty();
  }

  /**
   * An ensemble input: an output of a branch or a run that an earlier step made.
   *
   * @param age 1 is the newest
   */
  public static String history(String column, int age) {
    return column + "." + age;
  }

  /**
   * What an ensemble of several steps calls a tensor of one of them; an ensemble of one step has it
   * as it is.
   *
   * @param step of the ensemble, from 0
   * @param steps that it takes
   */
  public static String ofStep(String tensor, int step, int steps) {
    return steps == 1 ? tensor : tensor + ".step" + step;
  }

  /**
   * The weights of a run's reused outputs, or of one branch's: fp32 [1, {@link
   * io.harmonica.router.Route#MAX_HISTORY}].
   */
  public static String weights(String column) {
    return column + "." + WEIGHTS;
  }

  /** The ensemble that runs several steps of a router in one request. */
  public static String stretch(String model, String router, int stretch) {
    return model + "-" + router + "-stretch" + twoDigits(stretch);
  }

  /** The engine of a model that has a role. */
  public static String engine(String model, Role role) {
    return model + "-" + engine(role);
  }

  /** What stands behind the model's name: {@code embed}, {@code block03-c1}, {@code head}. */
  public static String engine(Role role) {
    return switch (role.kind()) {
      case EMBED -> "embed";
      case CONDITION -> role.blocks().isEmpty() ? "condition" : "condition-" + role.blocks();
      case BLOCK -> "block" + role.blocks() + "-" + role.variant();
      case BRANCH -> "block" + role.blocks();
      case ENTER -> "block" + role.blocks() + "-enter";
      case WEIGHTS -> WEIGHTS;
      case REUSE -> "reuse-" + role.shape() + "-" + role.variant();
      case RUN -> "run-" + role.shape() + "-" + role.variant();
      case CHANGE -> "change-" + role.shape();
      case STEP -> "step-" + role.variant();
      case HEAD -> "head";
      case SAMPLER -> "sampler";
      case DECODER -> "decoder";
      case NOISE -> NOISE;
      case BEGIN -> role.router() + "-begin";
      case END -> "end";
      case PIXELS -> "pixels";
      case CALL, PICTURE, TEXT -> throw new IllegalArgumentException(role + " is no one engine's");
    };
  }

  /** An ensemble of one step over again, which takes what the condition engines make. */
  public static String conditioned(String ensemble) {
    return ensemble + "-conditioned";
  }

  /** The ensemble of one uncached step without the blocks that skip-layer guidance leaves out. */
  public static String skipping(String model) {
    return model + "-skip-layers";
  }

  /** The ensemble that runs a router's whole trajectory, from noise to a picture. */
  public static String picture(String model, String router) {
    return model + "." + router;
  }

  /** The same from a seed; no router that has pictures may be called so. */
  public static String seeded(String picture) {
    return picture + "." + SEED;
  }

  /** The ensemble that runs one route of a router. */
  public static String route(String model, String router, int route) {
    return model + "-" + router + "-route" + twoDigits(route);
  }

  private static String twoDigits(int number) { // every step asks, and String.format is slow
    return number < 10 ? "0" + number : Integer.toString(number);
  }
}
