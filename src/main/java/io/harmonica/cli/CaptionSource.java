package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Content;
import io.harmonica.generate.TensorFiles;
import io.harmonica.model.Denoiser;
import io.harmonica.origin.PipelineParts;
import io.harmonica.torch.Device;
import io.harmonica.train.CaptionEmbedding;
import io.harmonica.train.trajectory.Captions;
import java.util.List;
import java.util.Optional;

/** The options that name the captions to train on. */
final class CaptionSource {
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
    if (arguments.has("text-embeddings")) {
      arguments.refuse("text-encoder", "with --text-embeddings");
      arguments.refuse("tokenizer", "with --text-embeddings");
      Content.Texts embedded = TensorFiles.prompts(arguments.requiredPath("text-embeddings"));
      return Optional.of(CaptionEmbedding.of(embedded, model.io().text().get()));
    }
    List<String> texts = TextLines.read("captions", arguments.requiredPath("captions"));
    try (TextFiles.All files = TextFiles.all(arguments, parts)) {
      if (!files.areThere()) {
        throw new HarmonicaException(
            "--captions need a text encoder and its tokenizer, and the checkpoint's pipeline has none: name them with --text-encoder and --tokenizer, or give --text-embeddings");
      }
      return Optional.of(
          CaptionEmbedding.embed(
              texts,
              files.files(),
              model,
              device,
              note -> console.note(note),
              cut -> console.err().println("warning: " + cut.warning())));
    }
  }
}
