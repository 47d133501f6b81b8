package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.model.ClipEncoder;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import io.harmonica.model.TextUse;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where the outputs of several text encoders go in what a denoiser takes of a text: the states of
 * CLIPs side by side in its first rows, those of a T5 below them, and the pooled vectors one after
 * the other. What no encoder fills is zeros, as diffusers' pipeline of Stable Diffusion 3 has it.
 *
 * @param number of it, from 0, which is that of its prompt, too
 * @param encoder it is about
 * @param tokens of a prompt for it
 * @param row of its first state in {@code text_embedding}
 * @param column of its states' first element
 * @param from its pooled vector's first element in {@code pooled_text}
 */
public record TextLayout(
    int number, TextCheckpoint encoder, TextUse use, int tokens, int row, int column, int from) {

  private static final String FIELD = " (caption_channels)"; // of PixArt

  /** Elements of a state; 0 where none is used. */
  public int width() {
    return !use.hasStates() ? 0 : encoder.encoder().width();
  }

  /** Elements of the pooled vector; 0 where none is used. */
  public int pooled() {
    return encoder.encoder().pooledWidth(use.pooled());
  }

  /**
   * The layout for a denoiser.
   *
   * @param encoders in the order of {@link Shows.Text#uses}; of several that have states, a T5 may
   *     be left out
   * @throws HarmonicaException if they are not what the denoiser takes
   */
  public static List<TextLayout> of(Denoiser denoiser, List<Optional<TextCheckpoint>> encoders) {
    Shows.Text takes = requireText(denoiser, encoders);
    requireNoMore(takes, denoiser, encoders);
    boolean several = takes.uses().stream().filter(TextUse::hasStates).count() > 1;
    List<TextLayout> places = new ArrayList<>();
    int rows = 0; // of CLIPs' states
    int column = 0;
    int from = 0;
    for (int i = 0; i < takes.uses().size(); i++) {
      TextUse use = takes.uses().get(i);
      boolean clip = use.kind() == TextUse.Kind.CLIP;
      if (i >= encoders.size() || encoders.get(i).isEmpty()) {
        if (clip || !several) {
          throw missing(denoiser, i);
        }
        continue;
      }
      TextCheckpoint encoder = encoders.get(i).get();
      encoder.requireKind(use);
      int tokens =
          encoder.encoder() instanceof ClipEncoder own ? own.positions() : takes.tokens() - rows;
      TextLayout place =
          new TextLayout(i, encoder, use, tokens, clip ? 0 : rows, clip ? column : 0, from);
      place.requireFits(takes, several);
      places.add(place);
      from += place.pooled();
      if (clip && use.hasStates()) {
        column += place.width();
        rows = tokens;
      }
    }
    if (from != takes.pooled()) {
      throw new HarmonicaException(
          "the text encoders' pooled vectors have %d elements together, and the transformer takes %d (pooled_projection_dim): give those that it was trained with"
              .formatted(from, takes.pooled()));
    }
    return places;
  }

  private static void requireNoMore(
      Shows.Text takes, Denoiser denoiser, List<Optional<TextCheckpoint>> encoders) {
    encoders.stream()
        .skip(takes.uses().size())
        .flatMap(Optional::stream)
        .findFirst()
        .ifPresent(
            more -> {
              throw new HarmonicaException(
                  "text encoder %s has no use: a %s takes texts of %d of them; leave it out"
                      .formatted(more.path(), denoiser.architecture(), takes.uses().size()));
            });
  }

  private static Shows.Text requireText(
      Denoiser denoiser, List<Optional<TextCheckpoint>> encoders) {
    return denoiser
        .io()
        .text()
        .orElseThrow(
            () ->
                new HarmonicaException(
                    "text encoder %s has no use: a %s takes class labels"
                        .formatted(
                            encoders.stream().flatMap(Optional::stream).findFirst().get().path(),
                            denoiser.architecture())));
  }

  private static HarmonicaException missing(Denoiser denoiser, int index) {
    return new HarmonicaException(
        "a %s takes texts of %d text encoders, and number %d, a %s, is missing: give all of them, or none"
            .formatted(
                denoiser.architecture(),
                denoiser.io().text().get().uses().size(),
                index + 1,
                denoiser.io().text().get().uses().get(index).kind()));
  }

  private void requireFits(Shows.Text takes, boolean several) {
    int free = takes.width() - column;
    boolean beside = several && use.kind() == TextUse.Kind.CLIP; // another may fill the rest
    if (use.hasStates() && (beside ? width() > free : width() != free)) {
      throw new HarmonicaException(
          "text encoder %s embeds tokens %d wide, and the transformer takes %d%s: give the one that it was trained with"
              .formatted(encoder.path(), width(), free, takes.uses().size() == 1 ? FIELD : ""));
    }
    int left = takes.tokens() - row;
    if (use.hasStates() && (beside ? tokens > left : tokens != left) || tokens < 1) {
      throw new HarmonicaException(
          "text encoder %s takes texts of %d tokens, and the transformer has room for %d: export it with another `textTokens`"
              .formatted(encoder.path(), tokens, left));
    }
  }
}
