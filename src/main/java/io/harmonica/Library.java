package io.harmonica;

/**
 * The libraries that only some uses need. They are optional in this project's POM: a project that
 * depends on it adds those that it uses, and is told where one is missing.
 */
public enum Library {
  ONNX_RUNTIME(
      "com.microsoft.onnxruntime:onnxruntime",
      "ai.onnxruntime.OrtEnvironment",
      "running models in this process"),
  TOKENIZERS(
      "ai.djl.huggingface:tokenizers",
      "ai.djl.huggingface.tokenizers.HuggingFaceTokenizer",
      "drawing from prompts"),
  PROMETHEUS(
      "io.micrometer:micrometer-registry-prometheus",
      "io.micrometer.prometheusmetrics.PrometheusMeterRegistry",
      "a port for Prometheus"),
  PYTORCH("org.bytedeco:pytorch", "org.bytedeco.pytorch.global.torch", "training"),
  XCHART("org.knowm.xchart:xchart", "org.knowm.xchart.XYChart", "training"),
  HDR_HISTOGRAM("org.hdrhistogram:HdrHistogram", "org.HdrHistogram.Histogram", "comparing"),
  DESCRIPTIVE_STATISTICS(
      "org.apache.commons:commons-statistics-descriptive",
      "org.apache.commons.statistics.descriptive.Median",
      "comparing"),
  DISTRIBUTIONS(
      "org.apache.commons:commons-statistics-distribution",
      "org.apache.commons.statistics.distribution.NormalDistribution",
      "comparing"),
  EJML(
      "org.ejml:ejml-ddense",
      "org.ejml.dense.row.factory.DecompositionFactory_DDRM",
      "comparing features, pruning or rounding to 4 bits"),
  COMMONS_CLI("commons-cli:commons-cli", "org.apache.commons.cli.Options", "the command line"),
  PROGRESSBAR("me.tongfei:progressbar", "me.tongfei.progressbar.ProgressBar", "the command line");

  private final String artifact;
  private final String witness; // a class that it has
  private final String use;

  Library(String artifact, String witness, String use) {
    this.artifact = artifact;
    this.witness = witness;
    this.use = use;
  }

  /** The Maven artifact, {@code group:name}. */
  String artifact() {
    return artifact;
  }

  /** A class by which one sees whether the library is there. */
  String witness() {
    return witness;
  }

  /**
   * Must come before a class is linked that names the library's: that would fail with a {@link
   * NoClassDefFoundError}, which says no remedy.
   *
   * @throws HarmonicaException if the library is not on the class path
   */
  public void require() {
    try {
      Class.forName(witness, /* initialize= */ false, Library.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.FILES,
          "%s needs %s, which is not on the class path: add it to your project's dependencies, in the version that the POM of io.harmonica:harmonica has as optional"
              .formatted(use, artifact),
          e);
    }
  }
}
