package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.TensorFiles;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import io.harmonica.model.TextUse;
import io.harmonica.origin.PipelineParts;
import io.harmonica.origin.TextLayout;
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

/** Captions to train on: a file of texts that libtorch embeds once, or of embedded ones. */
final class CaptionSource {
  /** What guidance leads away from, as PixArt was trained. */
  private static final String NULL_CAPTION = "";

  private CaptionSource() {}

  /** Those that the command line names; none for a model that takes labels. */
  static Optional<Captions> of(
      Arguments arguments, PipelineParts parts, Denoiser model, Device device, Console console) {
    if (model.io().text().isEmpty()) {
      for (String option : List.of("captions", "text-embeddings", "text-encoder", "tokenizer")) {
        arguments.refuse(option, "on a " + model.architecture() + ", which takes class labels");
      }
      return Optional.empty();
    }
    arguments.requireOneOf("captions", "text-embeddings");
    Shows.Text takes = model.io().text().get();
    if (arguments.has("text-embeddings")) {
      arguments.refuse("text-encoder", "with --text-embeddings");
      arguments.refuse("tokenizer", "with --text-embeddings");
      return Optional.of(embedded(arguments, takes));
    }
    List<String> texts =
        new ArrayList<>(TextLines.read("captions", arguments.requiredPath("captions")));
    texts.add(NULL_CAPTION);
    try (TextFiles.All files = TextFiles.all(arguments, parts)) {
      if (!files.areThere()) {
        throw new HarmonicaException(
            "--captions need a text encoder and its tokenizer, and the checkpoint's pipeline has none: name them with --text-encoder and --tokenizer, or give --text-embeddings");
      }
      return Optional.of(encode(texts, files, model, device, console));
    }
  }

  /** One encoder after the other, and one text at a time: either may fill the machine by itself. */
  private static Captions encode(
      List<String> texts, TextFiles.All files, Denoiser model, Device device, Console console) {
    Shows.Text takes = model.io().text().orElseThrow();
    List<Embeddings> embedded = texts.stream().map(text -> empty(takes)).toList();
    List<TextLayout> places =
        TextLayout.of(
            model, files.files().stream().map(some -> some.map(TextFiles::encoder)).toList());
    for (TextLayout place : places) {
      TextFiles own = files.files().get(place.number()).orElseThrow();
      own.encoder().weights().note().ifPresent(note -> console.note(note));
      try (TorchOps ops = TorchOps.open(own.encoder().weights(), device, Precision.FP32)) {
        for (int i = 0; i < texts.size(); i++) {
          Tokens tokens =
              own.tokenizer()
                  .encode(
                      takes.mask() ? Tokenizer.plain(texts.get(i)) : texts.get(i), place.tokens());
          if (!tokens.dropped().isEmpty()) {
            console.err().println("warning: " + tokens.warning());
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

  private static Captions embedded(Arguments arguments, Shows.Text takes) {
    Content.Texts prompts = TensorFiles.prompts(arguments.requiredPath("text-embeddings"));
    Embeddings texts = prompts.positive().as(takes);
    if (texts.width() != takes.width()) {
      throw new HarmonicaException(
          "--text-embeddings %s are %d wide, the model takes %d: embed them with the text encoder that it was trained with"
              .formatted(arguments.requiredPath("text-embeddings"), texts.width(), takes.width()));
    }
    if (texts.pooledWidth() != takes.pooled()) {
      throw new HarmonicaException(
          "--text-embeddings %s have pooled embeddings of %d elements, the model takes %d: embed them with the text encoders that it was trained with"
              .formatted(
                  arguments.requiredPath("text-embeddings"), texts.pooledWidth(), takes.pooled()));
    }
    if (prompts.negative().isEmpty()) {
      throw new HarmonicaException(
          "--text-embeddings %s has no negative_prompt_embeds: add the empty text, embedded, as the null caption"
              .formatted(arguments.requiredPath("text-embeddings")));
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
