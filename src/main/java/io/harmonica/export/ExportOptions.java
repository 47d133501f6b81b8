package io.harmonica.export;

import io.harmonica.Element;
import io.harmonica.InvalidProperty;
import io.harmonica.calibration.Observed;
import io.harmonica.onnx.Precision;
import io.harmonica.router.Router;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * How a model is exported.
 *
 * @param modelName name of the base ensemble, and prefix of everything else
 * @param engines how much of a pass one engine covers
 */
public record ExportOptions(
    String modelName,
    Numerics numerics,
    Platform platform,
    EngineSize engines,
    Requests requests,
    Writing writing) {

  private static final String VNNI =
      "servers whose processors are x64 need VNNI (Intel from Cascade Lake, AMD from Zen 4 on): on"
          + " others products in int8 overflow without a word; in this process the slower ones that"
          + " do not are taken there";

  private static final String AMPERE =
      "plans of %s need GPUs of compute capability 8.0 or more (Ampere and later)";

  private static final String ADA =
      "plans of %s need GPUs of compute capability 8.9 or more (Ada, Hopper and later)";

  /** What Triton runs the engines with. */
  public enum Platform {
    /** Its onnxruntime backend, with ONNX Runtime's own kernels. */
    ONNXRUNTIME(null),

    /** Its onnxruntime backend, which has TensorRT build a plan of each engine; on NVIDIA GPUs. */
    ONNXRUNTIME_TENSORRT(
        "servers need an NVIDIA GPU and an onnxruntime backend with TensorRT, and refuse these"
            + " engines else; each builds its plan before it answers first, and keeps it in the"
            + " server's "
            + Accelerator.CACHE),

    /** Its onnxruntime backend with OpenVINO, on CPUs. */
    ONNXRUNTIME_OPENVINO(
        "servers need an onnxruntime backend that was built with OpenVINO, and refuse these engines"
            + " else: unknown Execution Accelerator 'openvino'"),

    /** Its tensorrt backend, with plans that {@code export/build-engines.sh} builds beforehand. */
    TENSORRT(null);

    private final Optional<String> needs;

    Platform(String needs) {
      this.needs = Optional.ofNullable(needs);
    }

    /** Whether TensorRT runs the engines, one way or the other. */
    boolean isTensorRt() {
      return this == ONNXRUNTIME_TENSORRT || this == TENSORRT;
    }
  }

  /**
   * In which numbers engines compute, and what they hand to clients.
   *
   * @param precision of weights and activations
   * @param cacheInt8 whether branch outputs that are kept have 8 bits, and not the engines' own
   *     type
   * @param ranges of the model's activations, for a precision that needs to know them, open as long
   *     as the export runs
   */
  public record Numerics(Precision precision, boolean cacheInt8, Optional<Observed> ranges) {
    /** Without ranges. */
    public Numerics(Precision precision, boolean cacheInt8) {
      this(precision, cacheInt8, Optional.empty());
    }
  }

  /**
   * What requests may bring.
   *
   * @param maxBatch samples of one request, guidance's pair counted as two
   * @param stepsPerRequest steps that clients far away may ask for in one request; 1: one by one
   * @param dynamicBatching whether servers put requests together that wait for an engine
   */
  public record Requests(int maxBatch, int stepsPerRequest, boolean dynamicBatching) {
    public Requests {
      if (maxBatch < 1) {
        throw new InvalidProperty("maxBatch", "%d must be positive".formatted(maxBatch));
      }
      if (stepsPerRequest < 1) {
        throw new InvalidProperty(
            "stepsPerRequest", "%d must be positive".formatted(stepsPerRequest));
      }
    }
  }

  /**
   * How files come into the repository.
   *
   * @param force whether a model of this name in the repository is replaced, and not refused; what
   *     is no part of it is never touched
   * @param hardLinks whether variants of an engine share one data file by hard links, and do not
   *     have one each with the weights that they read. It spares disk; but package onnx 1.21 and
   *     later refuses such files
   */
  public record Writing(boolean force, boolean hardLinks) {}

  public ExportOptions {
    if (!Router.isName(modelName)) {
      throw new InvalidProperty(
          "modelName",
          "'%s' must consist of letters, digits, '.', '_' and '-', no dot or dash first"
              .formatted(modelName));
    }
    requireRuns(numerics.precision, platform);
  }

  private static void requireRuns(Precision precision, Platform platform) {
    if (platform == Platform.TENSORRT) {
      return;
    }
    String why =
        switch (precision.maps()) {
          case INT4 ->
              "ONNX Runtime rounds activations to 8 bits without a word where weights have 4, and"
                  + " processors gain no time; export int8";
          case FP8 -> "ONNX Runtime of this and earlier releases does not load it; export int8";
          default ->
              "ONNX Runtime has no kernels for it on processors, and its TensorRT takes it in later"
                  + " releases than Triton 24.10's; export fp32, which OpenVINO computes in bf16 on"
                  + " processors that can, or fp16";
        };
    if (precision.maps().isTensorRtOnly() || precision.element() == Element.BF16) {
      throw new InvalidProperty(
          "precision", "%s needs `platform` tensorrt: %s".formatted(precision.word(), why));
    }
  }

  /**
   * One step a request.
   *
   * @param blocksPerEngine blocks of one engine; 0 for the whole step in one
   */
  public ExportOptions(
      String modelName,
      Precision precision,
      Platform platform,
      int blocksPerEngine,
      int maxBatch,
      boolean force) {
    this(
        modelName,
        new Numerics(precision, false),
        platform,
        size(blocksPerEngine),
        new Requests(maxBatch, 1, true),
        new Writing(force, false));
  }

  /** One block an engine, fp32, ONNX Runtime, batches of up to 16. */
  public static ExportOptions of(String modelName) {
    return new ExportOptions(modelName, Precision.FP32, Platform.ONNXRUNTIME, 1, 16, false);
  }

  private static EngineSize size(int blocksPerEngine) {
    return blocksPerEngine == 0 ? EngineSize.STEP : EngineSize.ofBlocks(blocksPerEngine);
  }

  public Precision precision() {
    return numerics.precision;
  }

  public int maxBatch() {
    return requests.maxBatch;
  }

  public int stepsPerRequest() {
    return requests.stepsPerRequest;
  }

  /** What servers need for it that not every one has. */
  public List<String> needs() {
    List<String> needs = new ArrayList<>();
    platform.needs.ifPresent(needs::add);
    if (numerics.precision.maps().areInt8() && !platform.isTensorRt()) {
      needs.add(VNNI);
    }
    Precision precision = numerics.precision;
    if (precision.maps() == Precision.Maps.FP8) {
      needs.add(ADA.formatted(precision.word()));
    } else if (precision.maps() == Precision.Maps.INT4 || precision.element() == Element.BF16) {
      needs.add(AMPERE.formatted(precision.word()));
    }
    return needs;
  }

  /** Blocks of one engine; 0 for the whole step in one. */
  public ExportOptions withBlocksPerEngine(int blocks) {
    return withEngines(size(blocks));
  }

  public ExportOptions withEngines(EngineSize other) {
    return new ExportOptions(modelName, numerics, platform, other, requests, writing);
  }

  public ExportOptions withPrecision(Precision other) {
    return with(new Numerics(other, numerics.cacheInt8, numerics.ranges));
  }

  public ExportOptions withCacheInt8(boolean other) {
    return with(new Numerics(numerics.precision, other, numerics.ranges));
  }

  /** With scales of activations from observed ranges. */
  public ExportOptions withRanges(Precision needing, Observed ranges) {
    return with(new Numerics(needing, numerics.cacheInt8, Optional.of(ranges)));
  }

  public ExportOptions withStepsPerRequest(int steps) {
    return with(new Requests(requests.maxBatch, steps, requests.dynamicBatching));
  }

  public ExportOptions withDynamicBatching(boolean other) {
    return with(new Requests(requests.maxBatch, requests.stepsPerRequest, other));
  }

  public ExportOptions withForce(boolean other) {
    return with(new Writing(other, writing.hardLinks));
  }

  public ExportOptions withHardLinks(boolean other) {
    return with(new Writing(writing.force, other));
  }

  private ExportOptions with(Numerics other) {
    return new ExportOptions(modelName, other, platform, engines, requests, writing);
  }

  private ExportOptions with(Requests other) {
    return new ExportOptions(modelName, numerics, platform, engines, other, writing);
  }

  private ExportOptions with(Writing other) {
    return new ExportOptions(modelName, numerics, platform, engines, requests, other);
  }
}
