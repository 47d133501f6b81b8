package io.harmonica.cli;

import java.util.ArrayList;
import java.util.List;
import org.apache.commons.cli.Option;
import org.apache.commons.cli.Options;

/** Lays out what {@code --help} prints: usage, aligned tables, examples. */
final class Help {
  private static final int WIDTH = 100;

  /** What is longer has a line of its own, or it would leave its table no room. */
  private static final int FIRST_COLUMN = 36;

  private Help() {}

  /**
   * A command's page.
   *
   * @param prefix what is typed up to the options, for example {@code harmonica policy}
   */
  static String page(String prefix, Command command, Options options) {
    var text = new StringBuilder(command.summary()).append("\n\nUsage:\n");
    for (String form : command.usage()) {
      text.append(wrapped("  " + prefix + " ", form)).append('\n');
    }
    var rows = new ArrayList<List<String>>();
    for (Option option : options.getOptions()) {
      String argument = option.hasArg() ? " " + option.getArgName() : "";
      rows.add(List.of("--" + option.getLongOpt() + argument, option.getDescription()));
    }
    return text.append("\nOptions:\n")
        .append(table(rows))
        .append(examples(command.examples()))
        .toString();
  }

  /** Two aligned columns, the second one wrapped. */
  static String table(List<List<String>> rows) {
    int first =
        rows.stream()
            .mapToInt(row -> row.get(0).length())
            .filter(length -> length <= FIRST_COLUMN)
            .max()
            .orElse(0);
    var text = new StringBuilder();
    for (List<String> row : rows) {
      String left = "  " + row.get(0);
      if (row.get(0).length() > first) {
        text.append(left).append('\n');
        left = "";
      }
      String margin = left + " ".repeat(first + 4 - left.length());
      text.append(wrapped(margin, row.get(1))).append('\n');
    }
    return text.toString();
  }

  static String examples(List<String> lines) {
    return lines.isEmpty() ? "" : "\nExamples:\n  " + String.join("\n  ", lines) + "\n";
  }

  /** Text after its margin, each further line indented as wide as the margin. */
  private static String wrapped(String margin, String text) {
    var lines = new StringBuilder();
    var line = new StringBuilder(margin);
    for (String word : text.split("(?<!--[a-z-]{1,40}) ")) {
      boolean empty = line.toString().isBlank() || line.length() == margin.length();
      if (!empty && line.length() + 1 + word.length() > WIDTH) {
        lines.append(line).append('\n');
        line.setLength(0);
        line.append(" ".repeat(margin.length()));
        empty = true;
      }
      line.append(empty ? "" : " ").append(word);
    }
    return lines.append(line).toString();
  }
}
