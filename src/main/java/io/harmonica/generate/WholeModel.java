package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.Port;
import io.harmonica.Timesteps;
import io.harmonica.picture.Latents;
import io.harmonica.repository.ConfigPorts;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.whole.WholePicture;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The model that makes a picture in one request, as {@code export} writes it for a router: {@code
 * shapes-dit.taylor-2}, or of uncached steps {@code shapes-dit.none}. What it draws is fixed, so
 * requests that ask for anything else are refused.
 */
record WholeModel(Runtime runtime, Manifest manifest, ModelConfig config) {

  /**
   * The model for a request.
   *
   * @throws HarmonicaException if there is none, or it draws another way
   */
  static WholeModel of(Runtime runtime, Admitted admitted, Style style) {
    Manifest manifest = admitted.manifest();
    if (admitted.skipping().isPresent()) {
      throw new HarmonicaException(
          "`skipLayerGuidance` takes a pass of its own beside a step's, and `whole` all steps in one request: leave one of the two out");
    }
    WholePicture picture =
        admitted
            .router()
            .map(router -> WholePicture.of(manifest, router))
            .orElseGet(() -> WholePicture.uncached(manifest));
    if (!draws(picture, admitted, style)) {
      throw new HarmonicaException(
          "%s draws in one request by sampler %s, %d steps and its own spacing, guidance on %d channels, and nothing else: leave other values out, or `whole`"
              .formatted(
                  picture.name(),
                  admitted.router().map(Router::sampler).orElse(manifest.sampler()),
                  picture.call().steps(),
                  manifest.guidanceChannels()));
    }
    ModelConfig config;
    try {
      config = runtime.config(picture.name());
    } catch (HarmonicaException e) {
      throw new HarmonicaException(
          "no pictures of %s in one request, which harmonica-export `picture` %s adds: %s"
              .formatted(picture.name(), picture.router(), e.getMessage()),
          e);
    }
    return new WholeModel(runtime, manifest, config);
  }

  /** Whether its steps are the request's. */
  private static boolean draws(WholePicture picture, Admitted admitted, Style style) {
    Timesteps timesteps = admitted.sampler().timesteps();
    boolean same =
        timesteps.equals(picture.sampler().timesteps())
            && style.guidanceChannels().orElse(admitted.manifest().guidanceChannels())
                == admitted.manifest().guidanceChannels();
    for (int step = 0; same && step < timesteps.size(); step++) {
      Optional<float[]> numbers = admitted.manifest().steps().numbers(admitted.sampler(), step);
      same = numbers.isPresent() && Arrays.equals(numbers.get(), picture.numbers().get(step));
    }
    return same;
  }

  String name() {
    return config.getName();
  }

  /** Pictures of a request. */
  int maxBatch() {
    return config.getMaxBatchSize();
  }

  private Set<String> inputs() {
    return ConfigPorts.inputs(config).stream().map(Port::name).collect(Collectors.toSet());
  }

  /** What it takes for these pictures, by name; the caller closes them. */
  Map<String, Tensor> inputs(Latents noise, Content content, double scale) {
    return Inputs.of(all -> put(noise, content, scale, all));
  }

  private void put(Latents noise, Content content, double scale, Map<String, Tensor> all) {
    Set<String> taken = inputs();
    int count = noise.count();
    all.put(
        Names.NOISE,
        runtime.tensor(
            FloatBuffer.wrap(noise.values()),
            count,
            noise.channels(),
            noise.height(),
            noise.width()));
    if (taken.contains(Names.GUIDANCE)) {
      float[] scales = new float[count];
      Arrays.fill(scales, (float) scale);
      all.put(Names.GUIDANCE, runtime.tensor(FloatBuffer.wrap(scales), count, 1));
    }
    Condition condition = new Condition(runtime, manifest, false, scale, 1);
    if (content instanceof Content.Tokenized texts) {
      boolean masks = taken.contains(Names.TEXT_MASK);
      all.putAll(PromptEncoder.inputs(runtime, texts.positive(), masks));
      if (taken.contains(Names.negative(Names.INPUT_IDS))) {
        PromptEncoder.inputs(runtime, texts.negative(), masks)
            .forEach((input, tensor) -> all.put(Names.negative(input), tensor));
      }
    } else {
      all.putAll(condition.of(content, taken::contains));
    }
    if (content instanceof Content.Texts texts
        && taken.contains(Names.negative(Names.TEXT_EMBEDDING))) {
      condition
          .of(
              new Content.Texts(away(texts), Optional.empty()),
              input -> taken.contains(Names.negative(input)))
          .forEach((input, tensor) -> all.put(Names.negative(input), tensor));
    }
  }

  /** What guidance leads away from, a text a picture; without it they are there and not read. */
  private static Embeddings away(Content.Texts texts) {
    Embeddings some = texts.negative().orElse(texts.positive());
    int count = texts.count();
    return some.count() == count ? some : Embeddings.of(Collections.nCopies(count, some));
  }
}
