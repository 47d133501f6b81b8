package io.harmonica.cli;

import java.io.IOException;
import java.util.List;
import org.apache.commons.cli.Options;

/** One command: its options, and what it does with them. Registered in {@link Harmonica}. */
interface Command {

  /** What users type. */
  String name();

  /** One line for the list of commands. */
  String summary();

  /** What follows the name in the usage, one line for each form. */
  List<String> usage();

  /** Options besides {@code --help}, {@code --verbose} and {@code --version}, in help's order. */
  Options options();

  /** Names of the arguments that are not options, all required. */
  default List<String> arguments() {
    return List.of();
  }

  /** Lines that can be run as they are. */
  List<String> examples();

  /**
   * Does it.
   *
   * @return the exit code: 0 done, 1 failed
   */
  int run(Arguments arguments, Console console) throws IOException;
}
