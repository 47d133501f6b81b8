package io.harmonica.export;

import io.harmonica.InvalidProperty;
import io.harmonica.onnx.Precision;
import io.harmonica.router.Router;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a model is exported.
 *
 * @param modelName name of the base ensemble, and prefix of everything else
 * @param engines how much of a pass one engine covers
 * @param maxBatch samples of one request, guidance's pair counted as two
 * @param force whether a model of this name in the repository is replaced, and not refused; what is
 *     no part of it is never touched
 * @param stepsPerRequest steps that clients far away may ask for in one request; 1: one by one
 * @param hardLinks whether variants of an engine share one data file by hard links, and do not have
 *     one each with the weights that they read. It spares disk; but package onnx 1.21 and later
 *     refuses such files
 */
public record ExportOptions(
    String modelName,
    Precision precision,
    Platform platform,
    EngineSize engines,
    int maxBatch,
    boolean force,
    int stepsPerRequest,
    boolean hardLinks,
    boolean dynamicBatching,
    boolean cacheInt8) {

  private static final String VNNI =
      "servers whose processors are x64 need VNNI (Intel from Cascade Lake, AMD from Zen 4 on): on"
          + " others products in int8 overflow without a word; in this process the slower ones that"
          + " do not are taken there";

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

  public ExportOptions {
    if (!Router.isName(modelName)) {
      throw new InvalidProperty(
          "modelName",
          "'%s' must consist of letters, digits, '.', '_' and '-', no dot or dash first"
              .formatted(modelName));
    }
    if (maxBatch < 1) {
      throw new InvalidProperty("maxBatch", "%d must be positive".formatted(maxBatch));
    }
    if (stepsPerRequest < 1) {
      throw new InvalidProperty(
          "stepsPerRequest", "%d must be positive".formatted(stepsPerRequest));
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
    this(modelName, precision, platform, blocksPerEngine, maxBatch, force, 1, false);
  }

  /**
   * Caches in the precision of the engines.
   *
   * @param blocksPerEngine blocks of one engine; 0 for the whole step in one
   */
  public ExportOptions(
      String modelName,
      Precision precision,
      Platform platform,
      int blocksPerEngine,
      int maxBatch,
      boolean force,
      int stepsPerRequest,
      boolean hardLinks) {
    this(
        modelName,
        precision,
        platform,
        size(blocksPerEngine),
        maxBatch,
        force,
        stepsPerRequest,
        hardLinks,
        true,
        false);
  }

  /** One block an engine, fp32, ONNX Runtime, batches of up to 16. */
  public static ExportOptions of(String modelName) {
    return new ExportOptions(modelName, Precision.FP32, Platform.ONNXRUNTIME, 1, 16, false);
  }

  private static EngineSize size(int blocksPerEngine) {
    return blocksPerEngine == 0 ? EngineSize.STEP : EngineSize.ofBlocks(blocksPerEngine);
  }

  /** Blocks of one engine; 0 for the whole step in one. */
  public ExportOptions withBlocksPerEngine(int blocks) {
    return withEngines(size(blocks));
  }

  public ExportOptions withEngines(EngineSize other) {
    return new ExportOptions(
        modelName,
        precision,
        platform,
        other,
        maxBatch,
        force,
        stepsPerRequest,
        hardLinks,
        dynamicBatching,
        cacheInt8);
  }

  public ExportOptions withPrecision(Precision other) {
    return new ExportOptions(
        modelName,
        other,
        platform,
        engines,
        maxBatch,
        force,
        stepsPerRequest,
        hardLinks,
        dynamicBatching,
        cacheInt8);
  }

  /** What servers need for it that not every one has. */
  public List<String> needs() {
    boolean onProcessors = precision.isInt8() && !platform.isTensorRt();
    return Stream.concat(platform.needs.stream(), onProcessors ? Stream.of(VNNI) : Stream.empty())
        .toList();
  }

  public ExportOptions withForce(boolean other) {
    return new ExportOptions(
        modelName,
        precision,
        platform,
        engines,
        maxBatch,
        other,
        stepsPerRequest,
        hardLinks,
        dynamicBatching,
        cacheInt8);
  }

  public ExportOptions withStepsPerRequest(int steps) {
    return new ExportOptions(
        modelName,
        precision,
        platform,
        engines,
        maxBatch,
        force,
        steps,
        hardLinks,
        dynamicBatching,
        cacheInt8);
  }

  public ExportOptions withHardLinks(boolean other) {
    return new ExportOptions(
        modelName,
        precision,
        platform,
        engines,
        maxBatch,
        force,
        stepsPerRequest,
        other,
        dynamicBatching,
        cacheInt8);
  }

  public ExportOptions withCacheInt8(boolean other) {
    return new ExportOptions(
        modelName,
        precision,
        platform,
        engines,
        maxBatch,
        force,
        stepsPerRequest,
        hardLinks,
        dynamicBatching,
        other);
  }

  public ExportOptions withDynamicBatching(boolean other) {
    return new ExportOptions(
        modelName,
        precision,
        platform,
        engines,
        maxBatch,
        force,
        stepsPerRequest,
        hardLinks,
        other,
        cacheInt8);
  }
}
