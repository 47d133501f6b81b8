package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.ManifestText;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.text.Tokenizer;
import io.harmonica.text.Tokens;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;

/** One of a model's text encoders with its tokenizer. Its owner closes it, and asks one by one. */
final class PromptEncoder implements AutoCloseable {
  private final Runtime runtime;
  private final ManifestText.Encoder encoder;
  private final boolean masks;
  private Tokenizer tokenizer; // read when first used

  /**
   * Of a model.
   *
   * @param masks whether the model is told which tokens count; of those that are, PixArt's, texts
   *     are prepared as their pipelines do, while all others read what was written
   */
  PromptEncoder(Runtime runtime, ManifestText.Encoder encoder, boolean masks) {
    this.runtime = runtime;
    this.encoder = encoder;
    this.masks = masks;
  }

  /**
   * What it makes of texts.
   *
   * @param tokens of each
   * @param states [texts, tokens, width]
   * @param pooled [texts, pooled]
   */
  record Encoded(List<Tokens> tokens, float[] states, float[] pooled) {}

  ManifestText.Encoder place() {
    return encoder;
  }

  /** Texts as it takes them. */
  List<Tokens> tokens(List<String> texts, Consumer<String> warnings) {
    List<Tokens> tokens = new ArrayList<>();
    for (String text : texts) {
      Tokens own = tokenizer().encode(masks ? Tokenizer.plain(text) : text, encoder.tokens());
      if (!own.dropped().isEmpty()) {
        warnings.accept(own.warning());
      }
      tokens.add(own);
    }
    return tokens;
  }

  /** Tokens as a model takes them; the caller closes them. */
  static Map<String, Tensor> inputs(Runtime runtime, List<Tokens> texts, boolean masks) {
    return Inputs.of(
        inputs -> {
          inputs.put(Names.INPUT_IDS, tensor(runtime, texts, Tokens::ids));
          if (masks) {
            inputs.put(Names.TEXT_MASK, tensor(runtime, texts, Tokens::mask));
          }
        });
  }

  private static Tensor tensor(Runtime runtime, List<Tokens> texts, Function<Tokens, long[]> row) {
    int length = row.apply(texts.get(0)).length;
    LongBuffer values = LongBuffer.allocate(texts.size() * length);
    texts.forEach(text -> values.put(row.apply(text)));
    return runtime.tensor(values.flip(), texts.size(), length);
  }

  Encoded encode(List<String> texts, Consumer<String> warnings) {
    List<Tokens> tokens = tokens(texts, warnings);
    Map<String, Tensor> inputs = inputs(runtime, tokens, masks);
    Map<String, Tensor> made = Map.of();
    try {
      made = runtime.infer(encoder.model(), inputs, outputs());
      return new Encoded(
          tokens, values(made.get(Names.TEXT_EMBEDDING)), values(made.get(Names.POOLED_TEXT)));
    } finally {
      inputs.values().forEach(Tensor::close);
      made.values().forEach(Tensor::close);
    }
  }

  private Set<String> outputs() {
    Set<String> outputs = new HashSet<>();
    if (encoder.width() > 0) {
      outputs.add(Names.TEXT_EMBEDDING);
    }
    if (encoder.pooled() > 0) {
      outputs.add(Names.POOLED_TEXT);
    }
    return outputs;
  }

  private static float[] values(Tensor tensor) {
    if (tensor == null) {
      return new float[0];
    }
    float[] values = new float[tensor.floats().remaining()];
    tensor.floats().get(values);
    return values;
  }

  private Tokenizer tokenizer() {
    if (tokenizer == null) {
      ModelConfig config = runtime.config(encoder.model());
      if (!config.containsParameters(Manifest.TOKENIZER)) {
        throw new HarmonicaException(
            "model %s has no parameter '%s': export it again"
                .formatted(encoder.model(), Manifest.TOKENIZER));
      }
      tokenizer =
          Tokenizer.unpack(
              config.getParametersOrThrow(Manifest.TOKENIZER).getStringValue(),
              "parameter '%s' of model %s".formatted(Manifest.TOKENIZER, encoder.model()));
    }
    return tokenizer;
  }

  @Override
  public void close() {
    if (tokenizer != null) {
      tokenizer.close();
      tokenizer = null;
    }
  }
}
