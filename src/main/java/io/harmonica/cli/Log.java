package io.harmonica.cli;

import java.util.Map;

/** How the log looks on the command line: one line on the error stream, as errors do. */
final class Log {
  private static final String PREFIX = "org.slf4j.simpleLogger.";

  private Log() {}

  /** Before the first logger: warnings only, with {@code --verbose} all that this project says. */
  static void configure(String[] args) {
    boolean verbose = CommandRunner.asksFor("--verbose", args);
    Map.of(
            "defaultLogLevel",
            "warn",
            "log.io.harmonica",
            verbose ? "debug" : "warn",
            "showThreadName",
            "false",
            "showLogName",
            Boolean.toString(verbose))
        .forEach((key, value) -> setUnlessSet(PREFIX + key, value));
  }

  private static void setUnlessSet(String key, String value) {
    if (System.getProperty(key) == null) {
      System.setProperty(key, value);
    }
  }
}
