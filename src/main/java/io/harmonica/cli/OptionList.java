package io.harmonica.cli;

import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** Declares options one a line. */
final class OptionList {
  private final Options options = new Options();

  OptionList flag(String name, String description) {
    options.addOption(Option.builder().longOpt(name).desc(description).get());
    return this;
  }

  OptionList value(String name, String argument, String description) {
    options.addOption(
        Option.builder().longOpt(name).hasArg().argName(argument).desc(description).get());
    return this;
  }

  /** The options, in the order in which they were declared. */
  Options options() {
    return options;
  }
}
