package io.harmonica.cli;

import java.util.Collection;
import java.util.Comparator;

/** Finds what a mistyped word was probably meant to be. */
final class Suggestion {
  private Suggestion() {}

  /** A sentence to append, or nothing where no candidate is close. */
  static String of(String word, Collection<String> candidates, String prefix) {
    return candidates.stream()
        .filter(candidate -> distance(word, candidate) <= Math.max(1, candidate.length() / 3))
        .min(Comparator.comparingInt(candidate -> distance(word, candidate)))
        .map(candidate -> " (did you mean '%s%s'?)".formatted(prefix, candidate))
        .orElse("");
  }

  /** Levenshtein's distance: the fewest characters to insert, delete or replace. */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int replace = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replace, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
