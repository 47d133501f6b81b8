package io.harmonica.origin;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.HubCache;
import io.harmonica.sampler.Sampling;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * Where the parts of a model lie: alone, or in the folders of a diffusers pipeline.
 *
 * @param model the transformer: a folder, or a file
 * @param vae its autoencoder, where one lies beside it
 * @param scheduler the file that says what it is sampled with
 * @param pipeline the folder in which what embeds its texts lies, where there is one
 * @param missing folders that the pipeline's index names and that are not there
 */
public record PipelineParts(
    Path model,
    Optional<Path> vae,
    Optional<Path> scheduler,
    Optional<Path> pipeline,
    List<String> missing) {
  private static final String VAE = "vae";
  private static final String TEXT_ENCODER = "text_encoder";
  private static final String TOKENIZER = "tokenizer";
  private static final List<String> SUFFIXES = List.of("", "_2", "_3"); // of text encoders
  private static final String SCHEDULER = "scheduler";
  private static final String TRANSFORMER = "transformer";
  private static final String INDEX = "model_index.json";

  /** Of a pipeline's folder, of the transformer in it, or of anything else. */
  public static PipelineParts of(Path path) {
    Path checkpoint = HubCache.snapshot(path);
    if (Files.isDirectory(checkpoint.resolve(TRANSFORMER))) {
      return in(checkpoint, checkpoint.resolve(TRANSFORMER));
    }
    if (Links.exists(checkpoint.resolve(INDEX))) {
      throw new HarmonicaException(
          "%s is a pipeline by its %s, but has no folder %s: give one with a diffusion transformer, as those of DiT and PixArt are"
              .formatted(checkpoint, INDEX, TRANSFORMER));
    }
    Path normal = checkpoint.toAbsolutePath().normalize();
    boolean part =
        normal.endsWith(TRANSFORMER) && Files.isDirectory(normal) && normal.getParent() != null;
    return part
        ? in(normal.getParent(), checkpoint)
        : new PipelineParts(
            checkpoint, Optional.empty(), Optional.empty(), Optional.empty(), List.of());
  }

  private static PipelineParts in(Path pipeline, Path transformer) {
    return new PipelineParts(
        transformer,
        folder(pipeline, VAE),
        Optional.of(pipeline.resolve(SCHEDULER).resolve("scheduler_config.json"))
            .filter(Links::exists),
        Optional.of(pipeline),
        missing(pipeline));
  }

  /** The index has {@code [library, class]} for each part, nulls for one that was left out. */
  private static List<String> missing(Path pipeline) {
    Path index = pipeline.resolve(INDEX);
    if (!Links.exists(index)) {
      return List.of();
    }
    try {
      JsonNode parts = new ObjectMapper().readTree(index.toFile());
      return Stream.concat(
              Stream.of(VAE, SCHEDULER),
              Stream.of(TEXT_ENCODER, TOKENIZER)
                  .flatMap(part -> SUFFIXES.stream().map(suffix -> part + suffix)))
          .filter(part -> parts.path(part).path(0).isTextual() && folder(pipeline, part).isEmpty())
          .toList();
    } catch (IOException e) {
      throw new HarmonicaException(
          "%s cannot be read (%s): fetch it again"
              .formatted(index, HarmonicaException.oneLine(String.valueOf(e.getMessage()))),
          e);
    }
  }

  /** With as many pixels an element as the autoencoder beside it makes of one. */
  public Choices choices(Choices stated) {
    return vae.map(
            folder -> {
              try (Checkpoint beside = Checkpoint.open(folder)) {
                int pixels = Autoencoder.of(beside).decoder().pixelsPerElement();
                return stated.withPixelsPerElement(pixels);
              }
            })
        .orElse(stated);
  }

  /**
   * How the model is sampled: as the scheduler of its pipeline says, where there is one.
   *
   * @param usual how a model of its origin is
   */
  public Sampling sampling(Sampling usual) {
    return scheduler.map(usual::withScheduler).orElse(usual);
  }

  /**
   * What to tell of parts that the index names and that are not there.
   *
   * @param given the parts that come from elsewhere
   */
  public Optional<String> note(Predicate<String> given) {
    List<String> lacking =
        missing.stream()
            .filter(part -> !given.test(part))
            .filter(
                part ->
                    !part.startsWith(TOKENIZER)
                        || !given.test(part.replace(TOKENIZER, TEXT_ENCODER)))
            .toList();
    return lacking.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "%s names %s, and beside it there is no such folder: going on without"
                .formatted(model.resolveSibling(INDEX), String.join(", ", lacking)));
  }

  /** What embeds texts; a pipeline with several numbers them from the second on. */
  public Optional<Path> textEncoder(int number) {
    return pipeline.flatMap(folder -> folder(folder, TEXT_ENCODER + SUFFIXES.get(number)));
  }

  /** The folder of what cuts texts into tokens for a text encoder. */
  public Optional<Path> tokenizer(int number) {
    return pipeline.flatMap(folder -> folder(folder, TOKENIZER + SUFFIXES.get(number)));
  }

  /** The tokenizer in the pipeline of a text encoder. */
  public static Optional<Path> tokenizerBeside(Path textEncoder, int number) {
    Path pipeline = textEncoder.toAbsolutePath().normalize().getParent();
    return folder(pipeline, TOKENIZER + SUFFIXES.get(number));
  }

  private static Optional<Path> folder(Path pipeline, String part) {
    return Optional.of(pipeline.resolve(part)).filter(Links::exists).filter(Files::isDirectory);
  }
}
