package io.harmonica.generate;

import io.harmonica.HarmonicaException;
import io.harmonica.model.Shows;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.ManifestText;
import io.harmonica.runtime.Runtime;
import io.harmonica.text.Tokens;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Embeds prompts with a model's own text encoders, and remembers the last ones. Many threads may
 * ask; one at a time is served, as a second would only embed the same again.
 */
final class TextEmbedder implements AutoCloseable {
  /** Prompts that are remembered; one takes 2 MB where a token is 4096 wide. */
  private static final int REMEMBERED = 64;

  private final Manifest manifest;
  private final List<PromptEncoder> encoders;
  private final Map<Prompt, Embeddings> known =
      new LinkedHashMap<>(16, 0.75f, /* accessOrder= */ true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Prompt, Embeddings> eldest) {
          return size() > REMEMBERED;
        }
      };

  TextEmbedder(Runtime runtime, Manifest manifest) {
    this.manifest = manifest;
    this.encoders =
        manifest.shows() instanceof Shows.Text takes
            ? manifest.text().embedders().stream()
                .map(encoder -> new PromptEncoder(runtime, encoder, takes.mask()))
                .toList()
            : List.of();
  }

  boolean isThere() {
    return !encoders.isEmpty();
  }

  /** What requests show by embedded texts; see {@link Pipeline#embed}. */
  Content.Texts embedded(List<Prompt> positive, Prompt negative, Consumer<String> warnings) {
    List<Prompt> all = new ArrayList<>(positive);
    all.add(negative); // with the others: each call goes through all of the encoder's weights
    Embeddings embedded = embed(all, warnings);
    int last = all.size() - 1;
    return new Content.Texts(embedded.rows(0, last), Optional.of(embedded.rows(last, last + 1)));
  }

  /** The same by tokens, which a server embeds. */
  Content.Tokenized tokenized(List<Prompt> positive, Prompt negative, Consumer<String> warnings) {
    return new Content.Tokenized(
        tokens(positive, warnings),
        Collections.nCopies(positive.size(), tokens(List.of(negative), warnings).get(0)));
  }

  /** Prompts in their order. */
  private synchronized Embeddings embed(List<Prompt> prompts, Consumer<String> warnings) {
    requireEncoder();
    Map<Prompt, Embeddings> wanted = new LinkedHashMap<>(); // whatever is forgotten meanwhile
    Set<Prompt> fresh = new LinkedHashSet<>();
    for (Prompt prompt : prompts) {
      Embeddings one = known.get(prompt);
      if (one == null) {
        fresh.add(prompt);
      } else {
        wanted.put(prompt, one);
      }
    }
    List<Prompt> missing = List.copyOf(fresh);
    for (int first = 0; first < missing.size(); first += manifest.maxBatch()) {
      int end = Math.min(missing.size(), first + manifest.maxBatch());
      wanted.putAll(infer(missing.subList(first, end), warnings));
    }
    known.putAll(wanted);
    return Embeddings.of(prompts.stream().map(wanted::get).toList());
  }

  /** Prompts as the one text encoder takes them. */
  private synchronized List<Tokens> tokens(List<Prompt> prompts, Consumer<String> warnings) {
    requireEncoder();
    return encoders
        .get(0)
        .tokens(prompts.stream().map(prompt -> prompt.text(0)).toList(), warnings);
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

  private Map<Prompt, Embeddings> infer(List<Prompt> prompts, Consumer<String> warnings) {
    ManifestText takes = manifest.text();
    int elements = takes.tokens() * takes.width();
    int pooled = takes.pooled() == null ? 0 : takes.pooled();
    Map<Prompt, Embeddings> embedded = new LinkedHashMap<>();
    for (Prompt prompt : prompts) {
      long[] mask = new long[takes.tokens()];
      Arrays.fill(mask, 1); // padding, and what no encoder fills, is part of the text
      embedded.put(
          prompt,
          new Embeddings(
              new float[elements], mask, 1, takes.tokens(), takes.width(), new float[pooled]));
    }
    for (PromptEncoder encoder : encoders) {
      int number = encoder.place().prompt();
      List<String> texts = prompts.stream().map(prompt -> prompt.text(number)).toList();
      PromptEncoder.Encoded made = encoder.encode(texts, warnings);
      for (int i = 0; i < prompts.size(); i++) {
        place(made, i, encoder.place(), embedded.get(prompts.get(i)));
      }
    }
    return embedded;
  }

  /** Copies what an encoder made of a text to where it belongs. */
  private void place(PromptEncoder.Encoded made, int text, ManifestText.Encoder at, Embeddings to) {
    to.put(made.states(), text, at.tokens(), at.width(), at.row(), at.column());
    System.arraycopy(made.pooled(), text * at.pooled(), to.pooled(), at.from(), at.pooled());
    if (((Shows.Text) manifest.shows()).mask()) {
      System.arraycopy(made.tokens().get(text).mask(), 0, to.mask(), at.row(), at.tokens());
    }
  }

  @Override
  public synchronized void close() {
    encoders.forEach(PromptEncoder::close);
    known.clear();
  }
}
