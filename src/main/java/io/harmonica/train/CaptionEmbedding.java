package io.harmonica.train;

import io.harmonica.InvalidProperty;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import io.harmonica.model.TextUse;
import io.harmonica.origin.TextLayout;
import io.harmonica.origin.TextSource;
import io.harmonica.text.Tokenizer;
import io.harmonica.text.Tokens;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import io.harmonica.train.trajectory.Captions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Makes the captions to train on: from texts, which it embeds, or from texts embedded elsewhere.
 */
public final class CaptionEmbedding {
  /** What guidance leads away from, as PixArt was trained. */
  private static final String NULL_CAPTION = "";

  private CaptionEmbedding() {}

  /**
   * Embeds texts by the model's text encoders on libtorch: one after the other, and one text at a
   * time, as either may fill the machine by itself.
   *
   * @param texts at least one; the null caption comes to them
   * @param encoders in the model's order, as {@link TextLayout#of} takes them
   * @param note is told what an encoder's files leave open
   * @param cut is told of texts that have more tokens than the model takes
   */
  public static Captions embed(
      List<String> texts,
      List<Optional<TextSource>> encoders,
      Denoiser model,
      Device device,
      Consumer<String> note,
      Consumer<Tokens> cut) {
    Shows.Text takes = model.io().text().orElseThrow();
    List<String> all = new ArrayList<>(texts);
    all.add(NULL_CAPTION);
    List<Embeddings> embedded = all.stream().map(text -> empty(takes)).toList();
    List<TextLayout> places =
        TextLayout.of(model, encoders.stream().map(some -> some.map(TextSource::encoder)).toList());
    for (TextLayout place : places) {
      TextSource own = encoders.get(place.number()).orElseThrow();
      own.encoder().weights().note().ifPresent(note);
      try (TorchOps ops = TorchOps.open(own.encoder().weights(), device, Precision.FP32)) {
        for (int i = 0; i < all.size(); i++) {
          Tokens tokens =
              own.tokenizer()
                  .encode(takes.mask() ? Tokenizer.plain(all.get(i)) : all.get(i), place.tokens());
          if (!tokens.dropped().isEmpty()) {
            cut.accept(tokens);
          }
          encode(ops, place, tokens, takes.mask(), embedded.get(i));
        }
      }
    }
    return captions(embedded, takes);
  }

  /** What no encoder fills is zeros, and part of the text. */
  private static Embeddings empty(Shows.Text takes) {
    long[] mask = new long[takes.tokens()];
    Arrays.fill(mask, 1);
    return new Embeddings(
        new float[takes.tokens() * takes.width()],
        mask,
        1,
        takes.tokens(),
        takes.width(),
        new float[takes.pooled()]);
  }

  private static void encode(
      TorchOps ops, TextLayout place, Tokens tokens, boolean masked, Embeddings to) {
    int kept = // where padding is no part of the text, it changes no other token
        masked ? (int) Arrays.stream(tokens.mask()).sum() : place.tokens();
    try (Scope scope = Scope.withoutGradients()) {
      TextUse.Made<Value> made =
          place
              .encoder()
              .encoder()
              .encode(
                  ops,
                  ops.input(Arrays.copyOf(tokens.ids(), kept), 1, kept),
                  masked
                      ? Optional.of(ops.input(Arrays.copyOf(tokens.mask(), kept), 1, kept))
                      : Optional.empty(),
                  kept,
                  place.use());
      made.states()
          .ifPresent(
              states ->
                  to.put(states.floats(), 0, kept, place.width(), place.row(), place.column()));
      made.pooled()
          .ifPresent(
              pooled ->
                  System.arraycopy(pooled.floats(), 0, to.pooled(), place.from(), place.pooled()));
    }
    if (masked) {
      System.arraycopy(tokens.mask(), 0, to.mask(), place.row(), place.tokens());
    }
  }

  /**
   * Takes texts that were embedded elsewhere; the first negative one is the null caption.
   *
   * @throws io.harmonica.HarmonicaException if they are not as the model takes them
   */
  public static Captions of(Content.Texts prompts, Shows.Text takes) {
    Embeddings texts = prompts.positive().as(takes);
    if (texts.width() != takes.width()) {
      throw new InvalidProperty(
          "textEmbeddings",
          "are %d wide, the model takes %d: embed them with the text encoder that it was trained with"
              .formatted(texts.width(), takes.width()));
    }
    if (texts.pooledWidth() != takes.pooled()) {
      throw new InvalidProperty(
          "textEmbeddings",
          "have pooled vectors of %d elements, the model takes %d: embed them with the text encoders that it was trained with"
              .formatted(texts.pooledWidth(), takes.pooled()));
    }
    if (prompts.negative().isEmpty()) {
      throw new InvalidProperty(
          "textEmbeddings",
          "have no negative_prompt_embeds: add the empty text, embedded, as the null caption");
    }
    List<Embeddings> all = new ArrayList<>();
    for (int i = 0; i < texts.count(); i++) {
      all.add(texts.rows(i, i + 1));
    }
    all.add(prompts.negative().get().as(takes).rows(0, 1));
    return captions(all, takes);
  }

  /** Of texts one by one, the last of which is the null caption. */
  private static Captions captions(List<Embeddings> texts, Shows.Text takes) {
    return new Captions(
        texts.stream()
            .map(
                text ->
                    new Captions.Caption(
                        takes.mask()
                            ? Captions.counting(text.values(), text.mask())
                            : text.values(),
                        text.pooled()))
            .toList(),
        takes.width());
  }
}
