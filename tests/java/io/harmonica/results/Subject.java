package io.harmonica.results;

import io.harmonica.features.Estimate;
import io.harmonica.features.Features;
import io.harmonica.generate.Content;
import io.harmonica.generate.Pipeline;
import io.harmonica.origin.Choices;
import io.harmonica.picture.Latents;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A task that methods are measured at: a shipped model, what it draws, and who judges it. */
enum Subject {
  /** Ten shapes, by class. */
  SHAPES(
      Path.of("export/shapes-dit"),
      List.of("."),
      Path.of("export/shapes-features"),
      Choices.NONE,
      List.of("ddim10", "ddim20", "ddim50"),
      2000,
      1.0,
      "docs/RESULTS.md",
      "",
      "") {
    @Override
    Content content(Pipeline pipeline, int count) {
      return Content.of(DrawnShapes.classes(count));
    }

    @Override
    Estimate accuracy(Path network, Latents pictures, Features features) {
      return features.accuracy(DrawnShapes.classes(pictures.count()));
    }

    @Override
    int most() {
      return Integer.MAX_VALUE;
    }
  },

  /** Drawn scenes, by captions of combinations that were never trained. */
  SCENES(
      Path.of("export/scenes-pixart"),
      List.of("transformer", "text_encoder", "scheduler"),
      Path.of("export/scenes-features"),
      Choices.NONE.withTextTokens(24),
      List.of("dpm-solver++20", "iddpm50", "sa-solver25"),
      1000,
      3.0,
      "docs/RESULTS-TEXT.md",
      " --captions export/scenes-pixart/captions.txt --text-tokens 24",
      " --batch 16") {
    @Override
    Content content(Pipeline pipeline, int count) {
      List<String> captions =
          Shipped.SCENES.scenes().subList(0, count).stream().map(HeldOut.Scene::caption).toList();
      return pipeline.prompts(captions, "", note -> {});
    }

    @Override
    Estimate accuracy(Path network, Latents pictures, Features features) {
      return Shipped.SCENES.accuracy(network, pictures);
    }

    @Override
    int most() {
      return Shipped.SCENES.scenes().size();
    }
  };

  /** Read when the first scene is asked for. */
  private static final class Shipped {
    static final HeldOut SCENES = HeldOut.read(HeldOut.FILE);
  }

  /** The folder that holds it. */
  final Path checkpoint;

  /** Folders of it whose files decide what it draws. */
  final List<String> parts;

  /** The folder of the network that judges. */
  final Path judge;

  /** What the checkpoint leaves free. */
  final Choices choices;

  /** By their names. */
  final List<String> trajectories;

  /** How many pictures a set has. */
  final int count;

  /** Guidance scale; 1 is none. */
  final double guidance;

  /** Where the results stand. */
  final String page;

  /** What each training's command has beside its method's options. */
  final String training;

  /** What an exchange has beside them: by captions errors differ so much that it wants more. */
  private final String exchanging;

  Subject(
      Path checkpoint,
      List<String> parts,
      Path judge,
      Choices choices,
      List<String> trajectories,
      int count,
      double guidance,
      String page,
      String training,
      String exchanging) {
    this.checkpoint = checkpoint;
    this.parts = parts;
    this.judge = judge;
    this.choices = choices;
    this.trajectories = trajectories;
    this.count = count;
    this.guidance = guidance;
    this.page = page;
    this.training = training;
    this.exchanging = exchanging;
  }

  /** A trained method's options. */
  String training(Method method) {
    return method.training + (method.exchanges() ? exchanging : "");
  }

  /** The one of a name. */
  static Subject of(String name) {
    return Choice.of("--subject", name, values(), one -> one.name().toLowerCase(Locale.ROOT));
  }

  /** What the pictures of a set show. */
  abstract Content content(Pipeline pipeline, int count);

  /**
   * The share of pictures that show what they were asked for.
   *
   * @param features what the network saw in them
   */
  abstract Estimate accuracy(Path network, Latents pictures, Features features);

  /** How many pictures a set may have. */
  abstract int most();
}
