package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import org.apache.commons.cli.Options;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class HarmonicaTest {

  /** A command whose body the test gives. */
  private record Probe(Body body) implements Command {
    interface Body {
      int run(Arguments arguments) throws IOException;
    }

    @Override
    public String name() {
      return "probe";
    }

    @Override
    public String summary() {
      return "does what a test wants";
    }

    @Override
    public List<String> usage() {
      return List.of("[--count N]");
    }

    @Override
    public Options options() {
      return new OptionList()
          .value("count", "N", "how many")
          .value("classes", "A,B", "which")
          .value("share", "X", "how much")
          .flag("quiet", "say less")
          .options();
    }

    @Override
    public List<String> examples() {
      return List.of("bin/harmonica probe --count 3");
    }

    @Override
    public int run(Arguments arguments, Console console) throws IOException {
      return body.run(arguments);
    }
  }

  private static Invocation probe(Probe.Body body, String... args) {
    return Invocation.run(
        console -> CommandRunner.run("harmonica probe", new Probe(body), args, console));
  }

  @Test
  void help_top_listsEveryCommand() {
    Invocation help = Invocation.of("--help");
    assertThat(help.code()).isZero();
    assertThat(help.err()).isEmpty();
    for (Command command : Harmonica.commands(new ModelFiles())) {
      assertThat(help.out()).containsPattern("(?m)^  " + command.name() + " +\\S");
    }
  }

  @Test
  void help_everyCommand_isAlignedNarrowAndHasExamples() {
    for (Command command : Harmonica.commands(new ModelFiles())) {
      assertHelps("harmonica " + command.name(), Invocation.of(command.name(), "--help"));
    }
    String[] help = {"--help"};
    assertHelps(
        "harmonica-export",
        Invocation.run(console -> HarmonicaExport.run(help, console.out(), console.err())));
  }

  private static void assertHelps(String prefix, Invocation help) {
    assertThat(help.code()).isZero();
    assertThat(help.out())
        .contains("Usage:\n  " + prefix)
        .contains("Examples:\n  bin/" + prefix)
        .contains("--verbose");
    String options = help.out().replaceAll("(?s)\nExamples:.*", "");
    assertThat(options.lines()).allSatisfy(line -> assertThat(line).hasSizeLessThanOrEqualTo(100));
    int column = column(options);
    assertThat(options.lines().filter(line -> line.startsWith("  --")))
        .filteredOn(line -> line.matches(".*\\S {2,}\\S.*")) // others have it below
        .extracting(line -> line.replaceFirst("^(  --\\S+( [^ ]+)? {2,}).*", "$1").length())
        .as("where descriptions start")
        .hasSizeGreaterThan(3)
        .containsOnly(column);
    assertThat(column).isLessThanOrEqualTo(40);
  }

  private static int column(String options) {
    String line = options.lines().filter(l -> l.startsWith("  --help ")).findFirst().orElseThrow();
    return line.indexOf("print this");
  }

  @Test
  void help_besideFaultyOptions_stillHelps() {
    assertThat(Invocation.of("policy", "fora", "--nonsense", "--help").code()).isZero();
  }

  @Test
  void version_anywhere_isOneLine() {
    assertThat(Invocation.of("--version").out()).startsWith("harmonica ").hasLineCount(1);
    assertThat(Invocation.of("inspect", "--version").out()).startsWith("harmonica ");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ''                     | missing command; see `harmonica --help`
          polcy                  | unknown command 'polcy' (did you mean 'policy'?), expected one of demo, generate, compare,
          --hlep                 | unknown option '--hlep'
          inspect --ruoter x     | unknown option '--ruoter' (did you mean '--router'?); see `harmonica inspect --help`
          inspect --router       | --router needs a value: --router FILE
          inspect                | missing --router FILE
          inspect extra          | unexpected argument 'extra'
          inspect --model-repository d --model a --model b | --model is given 2 times, expected once
          inspect --router a --model m | --model has no effect without --model-repository
          inspect --router a --heads 3 | --heads has no effect without --checkpoint
          inspect --model-repository d | missing --model NAME
          inspect --model-repository d --model m --checkpoint c | --checkpoint has no effect with --model-repository
          policy                 | missing argument fora|taylor|delta-dit|random|none
          policy tailor          | policy is 'tailor', expected fora|taylor|delta-dit|random|none (did you mean 'taylor'?)
          policy fora taylor     | unexpected argument 'taylor'
          policy fora            | missing --steps N
          policy fora --steps x  | --steps is 'x', expected a whole number in 1..1000
          policy fora --steps 0  | --steps is '0', expected a whole number in 1..1000
          policy fora --steps 9  | missing --out ROUTER.json
          policy fora --steps 9 --out r.json | missing --checkpoint PATH
          policy fora --steps 9 --out .json | '' cannot be a router's name
          policy fora --steps 9 --out a,b.json | 'a,b' cannot be a router's name, expected letters, digits, '.', '_' and '-': give it another with --name
          policy fora --steps 9 --out r.json --interval 0 | --interval is '0', expected a number in 1.0..1000.0
          policy fora --cur 0.5  | --cur has no effect on policy fora
          policy delta-dit --grain model | --grain has no effect on policy delta-dit
          policy fora --boundary 3 | --boundary has no effect on policy fora
          policy fora --steps 9 --out r.json --grain block | --grain is 'block', expected branch|run|model
          policy taylor --steps 9 --out r.json --order 3 | --order is '3', expected a whole number in 0..2
          policy random --steps 9 --out r.json --cur NaN | --cur is 'NaN', expected a number in 0.0..1.0
          policy random --steps 9 --out r.json --seed 1.5 | --seed is '1.5', expected a whole number
          policy fora --steps 9 --out r.json --spacing even | --spacing is 'even', expected leading|openai|linspace|trailing
          policy fora --steps 9 --out r.json --sampler dpm-solver | --sampler is 'dpm-solver', expected ddim|dpm-solver++|iddpm|sa-solver (did you mean 'dpm-solver++'?)
          policy fora --steps 1000 --out r.json --checkpoint export/shapes-dit --sampler dpm-solver++ | error: --steps 1000 is out of range 1..999
          policy fora --steps 9 --out r.json --checkpoint export/shapes-dit --sampler dpm-solver++ --spacing openai | error: --spacing openai does not go with --sampler dpm-solver++; use linspace
          import-router          | missing argument FILE
          import-router r.pt     | missing --format FORMAT
          import-router r.pt --format pt | --format is 'pt', expected harmonica|learning-to-cache|smoothcache|cache-dit
          import-router r.pt --format smoothcache --architecture DiT-XL/2 --out r.json --threshold 0.5 | --threshold has no effect with --format smoothcache
          import-router r.pt --format harmonica | missing --checkpoint PATH or --architecture NAME
          import-router r.pt --format harmonica --checkpoint c --architecture a | exclude each other
          import-router r.pt --format harmonica --architecture a --threshold 2 | --threshold is '2', expected a number in 0.0..1.0
          import-router r.pt --format harmonica --architecture a --sampler dpm | --sampler is 'dpm', expected ddim
          """)
  void usage_fault_isOneLineAndCode2(String line, String message) {
    Invocation invocation = Invocation.of(line.isEmpty() ? new String[0] : line.split(" "));
    assertThat(invocation.err()).startsWith("error: ").contains(message).hasLineCount(1);
    assertThat(invocation.code()).isEqualTo(2);
    assertThat(invocation.out()).isEmpty();
  }

  @Test
  void faults_ofEveryKind_haveTheirCodeAndOneLine() {
    assertFails(
        1,
        "error: two lines made one",
        () -> {
          throw new HarmonicaException("two lines\n  made one");
        });
    assertFails(
        1,
        "error: No space left on device",
        () -> {
          throw new IOException("No space left on device");
        });
    assertFails(
        1,
        "error: a/b does not exist",
        () -> {
          throw new UncheckedIOException(new NoSuchFileException("a/b"));
        });
    assertFails(
        1,
        "error: out of memory (Java heap space)",
        () -> {
          throw new OutOfMemoryError("Java heap space");
        });
    assertFails(
        1,
        "error: internal fault",
        () -> {
          throw new IllegalStateException("never\nin two lines");
        });
    assertFails(
        1,
        "error: internal fault, please report it with the output of --verbose: java.lang.StackOver",
        () -> {
          throw new StackOverflowError();
        });
    assertFails(
        1,
        "error: internal fault",
        () -> {
          throw new AssertionError("never");
        });
    assertFails(
        2,
        "error: no; see `harmonica probe --help`",
        () -> {
          throw new UsageException("no");
        });
  }

  private static void assertFails(int code, String start, CommandRunner.Body body) {
    Invocation quiet = probe(arguments -> body.run());
    assertThat(quiet.err()).startsWith(start).hasLineCount(1);
    assertThat(quiet.code()).isEqualTo(code);
    Invocation verbose = probe(arguments -> body.run(), "--verbose");
    assertThat(verbose.err()).startsWith(start).contains("\tat io.harmonica.cli.");
    assertThat(verbose.code()).isEqualTo(code);
  }

  @Test
  void output_brokenStream_fails() {
    var full =
        new PrintStream(
            new OutputStream() {
              @Override
              public void write(int b) throws IOException {
                throw new IOException("No space left on device");
              }
            },
            true);
    Invocation invocation =
        Invocation.run(
            console ->
                Harmonica.run(
                    Harmonica.commands(new ModelFiles()),
                    new String[] {"--help"},
                    new Console(full, console.err())));
    assertThat(invocation.code()).isEqualTo(1);
    assertThat(invocation.err()).startsWith("error: cannot write standard output");
  }

  @Test
  void arguments_values_areReadWithinBounds() {
    Probe.Body body =
        arguments -> {
          assertThat(arguments.integer("count", -5, 5)).contains(-3);
          assertThat(arguments.integers("classes", 0, 9)).contains(List.of(1, 2, 9));
          assertThat(arguments.decimal("share", 0, 1)).contains(0.25);
          assertThat(arguments.has("quiet")).isTrue();
          return 0;
        };
    Invocation invocation =
        probe(body, "--count", "-3", "--classes", "1, 2,9", "--share=0.25", "--quiet");
    assertThat(invocation).isEqualTo(new Invocation(0, "", ""));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "1,,2", "1,10", "a"})
  void arguments_faultyList_isUsage(String classes) {
    Invocation invocation =
        probe(a -> a.integers("classes", 0, 9).orElseThrow().size(), "--classes", classes);
    assertThat(invocation.code()).isEqualTo(2);
    assertThat(invocation.err()).contains("--classes is '").contains("in 0..9");
  }
}
