package io.harmonica.cli;

import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.InvalidProperty;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.apache.commons.cli.CommandLine;
import org.apache.commons.cli.DefaultParser;
import org.apache.commons.cli.MissingArgumentException;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;
import org.apache.commons.cli.ParseException;
import org.apache.commons.cli.UnrecognizedOptionException;

/**
 * Runs a command the same way in every launcher: parses its words, answers {@code --help} and
 * {@code --version}, and turns every fault into one line and an exit code.
 */
final class CommandRunner {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int USAGE = 2;

  private CommandRunner() {}

  /**
   * Runs one command.
   *
   * @param prefix what is typed up to the options, for example {@code harmonica policy}
   * @return the exit code
   */
  static int run(String prefix, Command command, String[] args, Console console) {
    return guard(
        prefix,
        args,
        console,
        () -> {
          Options options = withCommon(command.options());
          if (asksFor("--help", args)) {
            console.out().print(Help.page(prefix, command, options));
            return DONE;
          }
          if (asksFor("--version", args)) {
            console.out().println(version());
            return DONE;
          }
          return command.run(parse(command, options, args), console);
        });
  }

  /** What may fail. */
  interface Body {
    int run() throws IOException;
  }

  /** Turns faults into one line on the error stream and an exit code. */
  static int guard(String prefix, String[] args, Console console, Body body) {
    try {
      TypedWords.require(args);
      int code = body.run();
      if (console.out().checkError()) {
        throw new HarmonicaException("cannot write standard output: its reader or disk is gone");
      }
      return code;
    } catch (UsageException | InvalidProperty e) {
      return fail(USAGE, "%s; see `%s --help`".formatted(e.getMessage(), prefix), e, args, console);
    } catch (HarmonicaException e) {
      return fail(FAILED, e.getMessage(), e, args, console);
    } catch (UncheckedIOException e) {
      return fail(FAILED, AtomicFile.reason(e.getCause()), e, args, console);
    } catch (IOException e) {
      return fail(FAILED, AtomicFile.reason(e), e, args, console);
    } catch (OutOfMemoryError e) {
      String remedy = "out of memory (%s): give Java more with JAVA_OPTS=-Xmx..., or ask for less";
      return fail(FAILED, remedy.formatted(e.getMessage()), e, args, console);
    } catch (RuntimeException | Error e) {
      return internal(e, args, console);
    }
  }

  private static int internal(Throwable fault, String[] args, Console console) {
    String found = "internal fault, please report it with the output of --verbose: " + fault;
    return fail(FAILED, found, fault, args, console);
  }

  /** The program's version, as the jar was built. */
  static String version() {
    String version = CommandRunner.class.getPackage().getImplementationVersion();
    return "harmonica " + Optional.ofNullable(version).orElse("(not packaged)");
  }

  static boolean asksFor(String flag, String[] args) {
    return Arrays.asList(args).contains(flag);
  }

  private static Options withCommon(Options own) {
    Options options = new Options();
    own.getOptions().forEach(options::addOption);
    options.addOption(flag("help", "print this and exit"));
    options.addOption(flag("verbose", "on failure print the stack trace too"));
    options.addOption(flag("version", "print the version and exit"));
    return options;
  }

  private static Option flag(String name, String description) {
    return Option.builder().longOpt(name).desc(description).get();
  }

  private static Arguments parse(Command command, Options options, String[] args) {
    CommandLine line;
    try {
      line = DefaultParser.builder().setAllowPartialMatching(false).get().parse(options, args);
    } catch (UnrecognizedOptionException e) {
      List<String> known = options.getOptions().stream().map(Option::getLongOpt).toList();
      String typed = e.getOption().replaceFirst("^-+", "").replaceFirst("=.*", "");
      throw new UsageException(
          "unknown option '%s'%s".formatted(e.getOption(), Suggestion.of(typed, known, "--")));
    } catch (MissingArgumentException e) {
      Option option = e.getOption();
      throw new UsageException(
          "--%s needs a value: --%s %s"
              .formatted(option.getLongOpt(), option.getLongOpt(), option.getArgName()));
    } catch (ParseException e) {
      throw new UsageException(e.getMessage());
    }
    int expected = command.arguments().size();
    int found = line.getArgList().size();
    if (found < expected) {
      throw new UsageException("missing argument " + command.arguments().get(found));
    }
    if (found > expected) {
      throw new UsageException(
          "unexpected argument '%s'".formatted(line.getArgList().get(expected)));
    }
    return new Arguments(line, options);
  }

  private static int fail(int code, String message, Throwable fault, String[] args, Console to) {
    to.out().flush();
    to.err().println("error: " + HarmonicaException.oneLine(Flags.in(message)));
    if (asksFor("--verbose", args)) {
      fault.printStackTrace(to.err());
    }
    return code;
  }
}
