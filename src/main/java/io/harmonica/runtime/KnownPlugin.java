package io.harmonica.runtime;

import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The plugins of ONNX Runtime that have a word of their own: which package of PyPI holds them, in
 * the one version that was tried with this project's ONNX Runtime. Such a package is an archive
 * with native libraries; nothing of Python in it is used.
 */
enum KnownPlugin {
  /** Intel's kernels, in bf16 where the processor has them. */
  OPENVINO(
      "openvino",
      "onnxruntime-ep-openvino",
      "1.8.1",
      "3832643158c8c187fcab6db661cde2a8c06a2b3559d95d0f2411ac0e51c5e924",
      "libonnxruntime_providers_openvino_plugin.so",
      List.of(),
      "Intel's processors"),

  /** NVIDIA's TensorRT for RTX. Its libraries do not find each other: they are loaded in turn. */
  TENSORRT_RTX(
      "tensorrt-rtx",
      "onnxruntime-ep-nv-tensorrt-rtx-cu12",
      "0.5.0",
      "d71fcbaf4adc627d82fffa6bbac9300a4bfc58fbfa604929b601d22211083d47",
      "libonnxruntime_providers_nv_tensorrt_rtx.so",
      List.of("libcudart.so.12", "libtensorrt_rtx.so.1", "libtensorrt_onnxparser_rtx.so.1"),
      "NVIDIA's GPUs");

  private final String word;
  private final String distribution;
  private final String version;
  private final String sha256;
  private final String library;
  private final List<String> needed;
  private final String takes;

  KnownPlugin(
      String word,
      String distribution,
      String version,
      String sha256,
      String library,
      List<String> needed,
      String takes) {
    this.word = word;
    this.distribution = distribution;
    this.version = version;
    this.sha256 = sha256;
    this.library = library;
    this.needed = needed;
    this.takes = takes;
  }

  static Optional<KnownPlugin> of(String word) {
    return Arrays.stream(values()).filter(one -> one.word.equals(word)).findFirst();
  }

  /** All words, for messages. */
  static String words() {
    return Arrays.stream(values()).map(KnownPlugin::word).collect(Collectors.joining(", "));
  }

  /** What users type. */
  String word() {
    return word;
  }

  /** The package as PyPI names it. */
  String distribution() {
    return distribution;
  }

  String version() {
    return version;
  }

  /** Of the package's file for Linux on x86-64, in hex. */
  String sha256() {
    return sha256;
  }

  /** The plugin's own library; other libraries lie beside it. */
  String library() {
    return library;
  }

  /** Libraries that must be loaded before it, in this order. */
  List<String> needed() {
    return needed;
  }

  /** Whose devices it finds, for messages. */
  String takes() {
    return takes;
  }
}
