package io.harmonica.compare;

import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Aligned text: columns of words to the left, columns of numbers to the right of them. */
public final class TextTable {
  private TextTable() {}

  /**
   * A line for each row.
   *
   * @param rows headings first, as many cells each
   * @param words how many columns, from the first, are words
   */
  public static String of(List<List<String>> rows, int words) {
    int[] widths =
        IntStream.range(0, rows.get(0).size())
            .map(c -> rows.stream().mapToInt(row -> row.get(c).length()).max().orElseThrow())
            .toArray();
    return rows.stream().map(row -> line(row, widths, words)).collect(Collectors.joining());
  }

  private static String line(List<String> row, int[] widths, int words) {
    return IntStream.range(0, widths.length)
            .mapToObj(
                c -> {
                  String space = " ".repeat(widths[c] - row.get(c).length());
                  return c < words ? row.get(c) + space : space + row.get(c);
                })
            .collect(Collectors.joining("  "))
            .stripTrailing()
        + "\n";
  }
}
