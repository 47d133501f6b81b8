package io.harmonica.cli;

import io.harmonica.Library;
import java.io.PrintStream;
import java.util.Locale;

/** The launcher {@code harmonica-export}: one command, run as {@link Harmonica} runs its own. */
public final class HarmonicaExport {
  private HarmonicaExport() {}

  public static void main(String[] args) {
    Log.configure(args);
    Locale.setDefault(Locale.ROOT); // numbers as scripts read them, whatever the user's
    Console console = Console.standard();
    System.exit(run(args, console.out(), console.err()));
  }

  /** Runs a command line and returns its exit code: 0 done, 1 failed, 2 wrong usage. */
  public static int run(String[] args, PrintStream out, PrintStream err) {
    Library.COMMONS_CLI.require();
    return CommandRunner.run("harmonica-export", new ExportCommand(), args, new Console(out, err));
  }
}
