package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.Prompt;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Prompts of the command line, with texts of their own for further text encoders. */
final class PromptOptions {
  private static final List<String> FURTHER = List.of("-2", "-3");

  private PromptOptions() {}

  /** Adds {@code --negative-prompt} and what further text encoders read. */
  static OptionList options(OptionList options) {
    return options
        .value("negative-prompt", "TEXT", "what guidance leads away from (default: the empty text)")
        .value(
            "prompt-2",
            "TEXT",
            "what the second text encoder reads, of a model with several: one for all, or one for"
                + " each prompt (default: the prompt)")
        .value("prompt-3", "TEXT", "the same for the third text encoder")
        .value("negative-prompt-2", "TEXT", "what guidance leads the second text encoder away from")
        .value("negative-prompt-3", "TEXT", "the same for the third");
  }

  /** The options that have an effect with prompts only. */
  static void refuseAll(Arguments arguments, String where) {
    FURTHER.forEach(suffix -> arguments.refuse("prompt" + suffix, where));
    refuseNegative(arguments, where);
  }

  /** Those that have an effect with guidance only. */
  static void refuseNegative(Arguments arguments, String where) {
    arguments.refuse("negative-prompt", where);
    FURTHER.forEach(suffix -> arguments.refuse("negative-prompt" + suffix, where));
  }

  /**
   * A prompt for each text.
   *
   * @param texts that the first text encoder reads
   */
  static List<Prompt> prompts(Arguments arguments, List<String> texts) {
    List<Prompt> prompts = new ArrayList<>();
    for (int i = 0; i < texts.size(); i++) {
      List<String> all = new ArrayList<>(List.of(texts.get(i)));
      for (String suffix : FURTHER) {
        List<String> own = arguments.texts("prompt" + suffix);
        if (own.size() > 1 && own.size() != texts.size()) {
          throw new HarmonicaException(
              "--prompt%s is there %d times for %d prompts, expected one, or as many"
                  .formatted(suffix, own.size(), texts.size()));
        }
        all.add(own.isEmpty() ? "" : own.get(own.size() == 1 ? 0 : i));
      }
      prompts.add(new Prompt(all));
    }
    return prompts;
  }

  /** What pictures look like depends on these, too. */
  static Map<String, String> settings(Arguments arguments) {
    Map<String, String> settings = new LinkedHashMap<>();
    for (String suffix : FURTHER) {
      for (String option : List.of("prompt" + suffix, "negative-prompt" + suffix)) {
        List<String> texts = arguments.texts(option);
        if (!texts.isEmpty()) {
          settings.put(option, TextLines.digest(texts));
        }
      }
    }
    return settings;
  }

  /** What guidance leads away from. */
  static Prompt negative(Arguments arguments) {
    List<String> all = new ArrayList<>(List.of(arguments.text("negative-prompt").orElse("")));
    FURTHER.forEach(suffix -> all.add(arguments.text("negative-prompt" + suffix).orElse("")));
    return new Prompt(all);
  }
}
