package io.harmonica.whole;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.text.Tokenizer;
import io.harmonica.text.Tokens;
import java.awt.image.BufferedImage;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Asks a runtime for pictures in one request. */
public record WholeCall(Runtime runtime, String model) {

  /** What came out; {@code images} (B, H, W, 3), empty where there are none. */
  public record Answer(Latents latents, byte[] images) {}

  /** Pictures of labels. */
  public Answer labels(Latents noise, List<Integer> classes, double... guidance) {
    return labels(start(noise), classes, guidance);
  }

  /** Pictures of labels, each from its seed. */
  public Answer seeds(List<Long> seeds, List<Integer> classes, double... guidance) {
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put("seed", longs(seeds));
    return labels(inputs, classes, guidance);
  }

  private Answer labels(Map<String, Tensor> inputs, List<Integer> classes, double... guidance) {
    inputs.put("class_label", longs(classes));
    return infer(inputs, guidance);
  }

  private Tensor longs(List<? extends Number> values) {
    long[] numbers = values.stream().mapToLong(Number::longValue).toArray();
    return runtime.tensor(LongBuffer.wrap(numbers), numbers.length, 1);
  }

  private Map<String, Tensor> start(Latents noise) {
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put(
        "noise",
        runtime.tensor(
            FloatBuffer.wrap(noise.values()),
            noise.count(),
            noise.channels(),
            noise.height(),
            noise.width()));
    return inputs;
  }

  /** Pictures of texts that are embedded, or of anything where there are none. */
  public Answer embedded(Latents noise, Optional<Content.Texts> texts, double guidance) {
    Map<String, Tensor> inputs = start(noise);
    texts.ifPresent(
        some -> {
          put(inputs, "", some.positive());
          if (takes("negative_text_embedding")) {
            Embeddings away = some.negative().orElseThrow();
            int count = some.positive().count();
            put(inputs, "negative_", Embeddings.of(Collections.nCopies(count, away)));
          }
        });
    double[] scales = new double[noise.count()];
    Arrays.fill(scales, guidance);
    return infer(inputs, scales);
  }

  private void put(Map<String, Tensor> inputs, String prefix, Embeddings texts) {
    int count = texts.count();
    inputs.put(
        prefix + "text_embedding",
        runtime.tensor(FloatBuffer.wrap(texts.values()), count, texts.tokens(), texts.width()));
    if (takes("pooled_text")) {
      inputs.put(
          prefix + "pooled_text",
          runtime.tensor(FloatBuffer.wrap(texts.pooled()), count, texts.pooledWidth()));
    }
    if (takes("text_mask")) {
      inputs.put(
          prefix + "text_mask",
          runtime.tensor(LongBuffer.wrap(texts.mask()), count, texts.tokens()));
    }
  }

  private boolean takes(String input) {
    return ConfigPorts.inputs(runtime.config(model)).stream()
        .anyMatch(port -> port.name().equals(input));
  }

  /** Pictures of texts, away from one. */
  public Answer texts(Latents noise, List<String> texts, String negative, double guidance) {
    String base = model.substring(0, model.indexOf('.'));
    Manifest manifest = Manifest.of(runtime.config(base));
    int length = manifest.text().tokens();
    String packed =
        runtime
            .config(manifest.text().encoder())
            .getParametersOrThrow(Manifest.TOKENIZER)
            .getStringValue();
    Map<String, Tensor> inputs = start(noise);
    try (Tokenizer tokenizer = Tokenizer.unpack(packed, "the test")) {
      put(inputs, "", texts, tokenizer, length);
      put(inputs, "negative_", texts.stream().map(text -> negative).toList(), tokenizer, length);
    }
    double[] scales = new double[texts.size()];
    Arrays.fill(scales, guidance);
    return infer(inputs, scales);
  }

  private void put(
      Map<String, Tensor> inputs,
      String prefix,
      List<String> texts,
      Tokenizer tokenizer,
      int length) {
    LongBuffer ids = LongBuffer.allocate(texts.size() * length);
    LongBuffer mask = LongBuffer.allocate(texts.size() * length);
    for (String text : texts) {
      Tokens tokens = tokenizer.encode(Tokenizer.plain(text), length);
      ids.put(tokens.ids());
      mask.put(tokens.mask());
    }
    inputs.put(prefix + "input_ids", runtime.tensor(ids.flip(), texts.size(), length));
    inputs.put(prefix + "text_mask", runtime.tensor(mask.flip(), texts.size(), length));
  }

  private Answer infer(Map<String, Tensor> inputs, double... guidance) {
    ModelConfig config = runtime.config(model);
    FloatBuffer scales = FloatBuffer.allocate(guidance.length);
    for (double scale : guidance) {
      scales.put((float) scale);
    }
    if (takes("guidance")) {
      inputs.put("guidance", runtime.tensor(scales.flip(), guidance.length, 1));
    }
    Set<String> outputs = new HashSet<>();
    ConfigPorts.outputs(config).forEach(port -> outputs.add(port.name()));
    Map<String, Tensor> made = Map.of();
    try {
      made = runtime.infer(model, inputs, outputs);
      int[] shape = Arrays.stream(made.get("latents").shape()).mapToInt(Math::toIntExact).toArray();
      if (inputs.containsKey("noise")) {
        assertThat(made.get("latents").shape()).isEqualTo(inputs.get("noise").shape());
      }
      FloatBuffer latents = made.get("latents").floats();
      float[] values = new float[latents.remaining()];
      latents.get(values);
      byte[] images = new byte[0];
      if (made.containsKey("image")) {
        ByteBuffer octets = made.get("image").octets();
        images = new byte[octets.remaining()];
        octets.get(images);
      }
      return new Answer(new Latents(values, shape[0], shape[1], shape[2], shape[3]), images);
    } finally {
      inputs.values().forEach(Tensor::close);
      made.values().forEach(Tensor::close);
    }
  }

  /** The bytes of pictures that {@link Pictures} makes of these pixels. */
  public static byte[] bytes(Latents pixels) {
    List<BufferedImage> pictures = Pictures.of(pixels);
    ByteBuffer bytes = ByteBuffer.allocate(pixels.count() * pixels.height() * pixels.width() * 3);
    for (BufferedImage picture : pictures) {
      for (int y = 0; y < picture.getHeight(); y++) {
        for (int x = 0; x < picture.getWidth(); x++) {
          int rgb = picture.getRGB(x, y);
          bytes.put((byte) (rgb >> 16)).put((byte) (rgb >> 8)).put((byte) rgb);
        }
      }
    }
    return bytes.array();
  }

  /** That these are the pictures of these pixels, to the last bit. */
  public static void assertSamePictures(byte[] images, Latents pixels) {
    assertThat(images).isEqualTo(bytes(pixels));
  }

  /** The same of pixels that differ by a rounding: a level may fall to the other side. */
  public static void assertPictures(byte[] images, Latents pixels) {
    byte[] expected = bytes(pixels);
    assertThat(images).hasSameSizeAs(expected);
    int other = 0;
    for (int i = 0; i < images.length; i++) {
      int difference = Math.abs((images[i] & 255) - (expected[i] & 255));
      assertThat(difference).isLessThanOrEqualTo(1);
      other += difference;
    }
    assertThat(other).isLessThanOrEqualTo(images.length / 1000);
  }
}
