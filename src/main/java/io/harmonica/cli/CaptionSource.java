package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Content;
import io.harmonica.generate.Embeddings;
import io.harmonica.generate.TensorFiles;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import io.harmonica.model.TextEncoder;
import io.harmonica.origin.PipelineParts;
import io.harmonica.text.Tokenizer;
import io.harmonica.text.Tokens;
import io.harmonica.torch.Device;
import io.harmonica.torch.Precision;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
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
    try (TextFiles files = TextFiles.find(arguments, parts).orElseThrow(CaptionSource::missing)) {
      files.encoder().requireFits(model);
      files.encoder().weights().note().ifPresent(note -> console.note(note));
      return Optional.of(encode(texts, files, takes, device, console));
    }
  }

  private static HarmonicaException missing() {
    return new HarmonicaException(
        "--captions need a text encoder and its tokenizer, and the checkpoint's pipeline has none: name them with --text-encoder and --tokenizer, or give --text-embeddings");
  }

  /** One text at a time: an encoder of usual size fills the machine by itself. */
  private static Captions encode(
      List<String> texts, TextFiles files, Shows.Text takes, Device device, Console console) {
    TextEncoder encoder = files.encoder().encoder();
    List<float[]> states = new ArrayList<>();
    try (TorchOps ops = TorchOps.open(files.encoder().weights(), device, Precision.FP32)) {
      for (String text : texts) {
        Tokens tokens =
            files.tokenizer().encode(takes.mask() ? Tokenizer.plain(text) : text, takes.tokens());
        if (!tokens.dropped().isEmpty()) {
          console.err().println("warning: " + tokens.warning());
        }
        int kept = // where padding is no part of the text, it changes no other token
            takes.mask() ? (int) Arrays.stream(tokens.mask()).sum() : takes.tokens();
        try (Scope scope = Scope.withoutGradients()) {
          states.add(
              encoder
                  .encode(
                      ops,
                      ops.input(Arrays.copyOf(tokens.ids(), kept), 1, kept),
                      takes.mask()
                          ? Optional.of(ops.input(Arrays.copyOf(tokens.mask(), kept), 1, kept))
                          : Optional.empty(),
                      kept,
                      takes.uses().get(0))
                  .states()
                  .orElseThrow()
                  .floats());
        }
      }
    }
    return new Captions(states, encoder.width());
  }

  private static Captions embedded(Arguments arguments, Shows.Text takes) {
    Content.Texts prompts = TensorFiles.prompts(arguments.requiredPath("text-embeddings"));
    Embeddings texts = prompts.positive().as(takes);
    if (texts.width() != takes.width()) {
      throw new HarmonicaException(
          "--text-embeddings %s are %d wide, the model takes %d: embed them with the text encoder that it was trained with"
              .formatted(arguments.requiredPath("text-embeddings"), texts.width(), takes.width()));
    }
    if (prompts.negative().isEmpty()) {
      throw new HarmonicaException(
          "--text-embeddings %s has no negative_prompt_embeds: add the empty text, embedded, as the null caption"
              .formatted(arguments.requiredPath("text-embeddings")));
    }
    List<float[]> states = new ArrayList<>();
    for (int i = 0; i < texts.count(); i++) {
      states.add(counting(texts, i, takes));
    }
    states.add(counting(prompts.negative().get().as(takes), 0, takes));
    return new Captions(states, takes.width());
  }

  private static float[] counting(Embeddings texts, int row, Shows.Text takes) {
    int size = texts.tokens() * texts.width();
    float[] own = Arrays.copyOfRange(texts.values(), row * size, (row + 1) * size);
    return takes.mask()
        ? Captions.counting(
            own, Arrays.copyOfRange(texts.mask(), row * texts.tokens(), (row + 1) * texts.tokens()))
        : own;
  }
}
