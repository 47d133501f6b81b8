package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import io.harmonica.text.Tokenizer;
import io.harmonica.text.Tokens;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Embeds prompts with a model's own text encoder, and remembers the last ones. Many threads may
 * ask; one at a time is served, as a second would only embed the same again.
 */
final class TextEmbedder implements AutoCloseable {
  /** Prompts that are remembered; one takes 2 MB where a token is 4096 wide. */
  private static final int REMEMBERED = 64;

  private final Runtime runtime;
  private final Manifest manifest;
  private final Map<String, Embeddings> known =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Embeddings> eldest) {
          return size() > REMEMBERED;
        }
      };
  private Tokenizer tokenizer; // read when first used

  TextEmbedder(Runtime runtime, Manifest manifest) {
    this.runtime = runtime;
    this.manifest = manifest;
  }

  boolean isThere() {
    return manifest.text() != null && manifest.text().encoder() != null;
  }

  /** Prompts in their order; see {@link Pipeline#prompts}. */
  synchronized Embeddings embed(List<String> prompts, Consumer<String> warnings) {
    requireEncoder();
    Map<String, Embeddings> wanted = new LinkedHashMap<>(); // whatever is forgotten meanwhile
    Set<String> fresh = new LinkedHashSet<>();
    for (String prompt : prompts) {
      Embeddings one = known.get(prompt);
      if (one == null) {
        fresh.add(prompt);
      } else {
        wanted.put(prompt, one);
      }
    }
    List<String> missing = List.copyOf(fresh);
    for (int first = 0; first < missing.size(); first += manifest.maxBatch()) {
      int end = Math.min(missing.size(), first + manifest.maxBatch());
      wanted.putAll(infer(missing.subList(first, end), warnings));
    }
    known.putAll(wanted);
    return Embeddings.of(prompts.stream().map(wanted::get).toList());
  }

  private void requireEncoder() {
    if (manifest.text() == null) {
      throw new HarmonicaException(
          "model %s takes %s, not texts: use %s"
              .formatted(
                  manifest.model(),
                  manifest.takes(),
                  manifest.classes() == 0 ? "`pictures`" : "`classes`"));
    }
    if (!isThere()) {
      throw new HarmonicaException(
          "model %s has no text encoder: export it with `textEncoder` and `tokenizer`, or give embedded texts with `textEmbeddings`"
              .formatted(manifest.model()));
    }
  }

  private Map<String, Embeddings> infer(List<String> prompts, Consumer<String> warnings) {
    int count = prompts.size();
    int length = manifest.text().tokens();
    int width = manifest.text().width();
    List<Tokens> tokens = new ArrayList<>();
    LongBuffer ids = LongBuffer.allocate(count * length);
    LongBuffer mask = LongBuffer.allocate(count * length);
    for (String prompt : prompts) {
      Tokens own = tokenizer().encode(Tokenizer.plain(prompt), length);
      if (!own.dropped().isEmpty()) {
        warnings.accept(own.warning());
      }
      tokens.add(own);
      ids.put(own.ids());
      mask.put(own.mask());
    }
    Map<String, Embeddings> embedded = new LinkedHashMap<>();
    try (Tensor idTensor = runtime.tensor(ids.flip(), count, length);
        Tensor maskTensor = runtime.tensor(mask.flip(), count, length);
        Tensor states =
            runtime
                .infer(
                    manifest.text().encoder(),
                    Map.of(Names.INPUT_IDS, idTensor, Names.TEXT_MASK, maskTensor),
                    Set.of(Names.TEXT_EMBEDDING))
                .get(Names.TEXT_EMBEDDING)) {
      for (int i = 0; i < count; i++) {
        float[] values = new float[length * width];
        states.floats().position(i * values.length).get(values);
        embedded.put(
            prompts.get(i), new Embeddings(values, tokens.get(i).mask(), 1, length, width));
      }
    }
    return embedded;
  }

  private Tokenizer tokenizer() {
    if (tokenizer == null) {
      String encoder = manifest.text().encoder();
      ModelConfig config = runtime.config(encoder);
      if (!config.containsParameters(Manifest.TOKENIZER)) {
        throw new HarmonicaException(
            "model %s has no parameter '%s': export it again"
                .formatted(encoder, Manifest.TOKENIZER));
      }
      tokenizer =
          Tokenizer.unpack(
              config.getParametersOrThrow(Manifest.TOKENIZER).getStringValue(),
              "parameter '%s' of model %s".formatted(Manifest.TOKENIZER, encoder));
    }
    return tokenizer;
  }

  @Override
  public synchronized void close() {
    if (tokenizer != null) {
      tokenizer.close();
      tokenizer = null;
    }
    known.clear();
  }
}
