package io.harmonica.cli;

import io.harmonica.Library;
import java.io.PrintStream;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** The launcher {@code harmonica}: finds the command and runs it. */
public final class Harmonica {
  private static final String NAME = "harmonica";

  private Harmonica() {}

  public static void main(String[] args) {
    Locale.setDefault(Locale.ROOT); // numbers as scripts read them, whatever the user's
    Log.configure(args);
    Console console = Console.standard();
    System.exit(run(args, console.out(), console.err()));
  }

  /** Runs a command line and returns its exit code: 0 done, 1 failed, 2 wrong usage. */
  public static int run(String[] args, PrintStream out, PrintStream err) {
    Library.COMMONS_CLI.require();
    Library.PROGRESSBAR.require();
    return run(commands(new ModelFiles()), args, new Console(out, err));
  }

  /** The commands, in the order that help lists them: to add one, add its line. */
  static List<Command> commands(Models models) {
    return List.of(
        new DemoCommand(),
        new GenerateCommand(),
        new CompareCommand(),
        new TrainCommand(),
        new CalibrateCommand(),
        new PolicyCommand(models),
        new ImportRouterCommand(models),
        new InspectCommand(models),
        new FeaturesCommand(),
        new DeployCommand(),
        new UndeployCommand(),
        new StatusCommand(),
        new DeviceCommand());
  }

  static int run(List<Command> commands, String[] args, Console console) {
    String word = args.length == 0 ? "" : args[0];
    for (Command command : commands) {
      if (command.name().equals(word)) {
        String[] rest = Arrays.copyOfRange(args, 1, args.length);
        return CommandRunner.run(NAME + " " + word, command, rest, console);
      }
    }
    return CommandRunner.guard(NAME, args, console, () -> withoutCommand(commands, word, console));
  }

  private static int withoutCommand(List<Command> commands, String word, Console console) {
    switch (word) {
      case "--help" -> console.out().print(help(commands));
      case "--version" -> console.out().println(CommandRunner.version());
      case "" -> throw new UsageException("missing command");
      default -> {
        List<String> names = commands.stream().map(Command::name).toList();
        throw new UsageException(
            "unknown %s '%s'%s, expected one of %s"
                .formatted(
                    word.startsWith("-") ? "option" : "command",
                    word,
                    Suggestion.of(word, names, ""),
                    String.join(", ", names)));
      }
    }
    return CommandRunner.DONE;
  }

  private static String help(List<Command> commands) {
    return """
        Diffusion Transformers with routed reuse of cached branch outputs, here or on Triton.

        Usage:
          harmonica COMMAND [OPTIONS]

        Commands:
        """
        + Help.table(commands.stream().map(c -> List.of(c.name(), c.summary())).toList())
        + """

        `harmonica COMMAND --help` lists a command's options and examples; `harmonica-export`
        makes the model repository that the commands run on.
        """
        + Help.examples(commands.stream().flatMap(c -> c.examples().stream().limit(1)).toList());
  }
}
