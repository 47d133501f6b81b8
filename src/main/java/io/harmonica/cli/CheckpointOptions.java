package io.harmonica.cli;

import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Resolution;
import io.harmonica.model.UVitSchedule;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** Options that say of a checkpoint what its file does not: how it is understood. */
final class CheckpointOptions {
  private static final String HEADS = "heads";
  private static final String SCHEDULE = "schedule";
  private static final String RESOLUTION = "resolution";
  private static final String TEXT_TOKENS = "text-tokens";
  private static final String NO_NULL_CLASS = "no-null-class";

  private CheckpointOptions() {}

  /** Those that decide what the model computes. */
  static OptionList declare(OptionList options) {
    return options
        .value(HEADS, "N", "attention heads, where a .pt file is of no published size")
        .value(
            SCHEDULE,
            String.join("|", UVitSchedule.words()),
            "U-ViT: the noise schedule that it was trained on (default: as the published model of"
                + " its sizes)");
  }

  /** The same, and the sizes that it leaves free: a flow's timesteps may depend on them. */
  static OptionList declareForRouters(OptionList options) {
    return sizes(declare(options));
  }

  private static OptionList sizes(OptionList options) {
    return options
        .value(
            RESOLUTION,
            "HxW",
            "the model's pictures in pixels, where it leaves that free, as the export states it"
                + " (default: as trained)")
        .value(TEXT_TOKENS, "N", "tokens of a text, as the export states them");
  }

  /** Both, for routers that are trained on what it draws. */
  static OptionList declareForTraining(OptionList options) {
    return sizes(declareForDrawing(options));
  }

  /** Those that decide what it computes, and whether it has a null class to lead away from. */
  static OptionList declareForDrawing(OptionList options) {
    return declare(options)
        .flag(
            NO_NULL_CLASS,
            "a model trained without class dropout: every row of its label table is a class, and"
                + " there is no guidance");
  }

  /** What the command line says; the rest is left free. */
  static Choices choices(Arguments arguments) {
    Optional<Integer> heads = arguments.integer(HEADS, 1, 1024);
    Choices choices =
        Choices.NONE
            .withHeads(heads.map(OptionalInt::of).orElseGet(OptionalInt::empty))
            .withNoNullClass(arguments.has(NO_NULL_CLASS));
    return arguments
        .choice(SCHEDULE, UVitSchedule.words())
        .map(word -> choices.withSchedule(UVitSchedule.valueOf(word.toUpperCase(Locale.ROOT))))
        .orElse(choices);
  }

  /** What the command line says of a router's model. */
  static Choices choicesForRouters(Arguments arguments) {
    Choices choices = choices(arguments);
    if (arguments.has(TEXT_TOKENS)) {
      choices = choices.withTextTokens(arguments.requiredInteger(TEXT_TOKENS, 1, 4096));
    }
    return arguments.has(RESOLUTION)
        ? choices.withResolution(Resolution.parse(arguments.requiredText(RESOLUTION)))
        : choices;
  }

  /** The model of a checkpoint; what is to be known of it is noted. */
  static Model model(Checkpoint checkpoint, Choices choices, Console console) {
    Model model = Model.of(checkpoint, choices);
    model.weights().note().ifPresent(console::note);
    model.notes().forEach(console::note);
    return model;
  }

  /** Refuses them where no checkpoint is read. */
  static void refuse(Arguments arguments, String why) {
    List.of(HEADS, SCHEDULE, RESOLUTION, TEXT_TOKENS)
        .forEach(option -> arguments.refuse(option, why));
  }
}
