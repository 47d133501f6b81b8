package io.harmonica.results;

import io.harmonica.compare.Machine;
import io.harmonica.features.Estimate;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The results as Markdown: a table for each number of steps. What a person wrote between the
 * markers stays when the page is written again.
 */
final class Page {
  static final String BEGIN =
      "<!-- what came out: written by hand, kept when the tool runs again -->";
  static final String END = "<!-- /what came out -->";

  private Page() {}

  /** A line of a table; a cell without numbers could not be measured. */
  record Row(Cell cell, Optional<Measured> measured) {}

  /** An uncached set, the first line of its table. */
  record Uncached(Table table, Optional<Measured> measured) {}

  /**
   * Renders it.
   *
   * @param before the page as it is, for the part that stays
   * @param command repeats the whole
   */
  static String render(
      Settings settings,
      List<Uncached> uncached,
      List<Row> rows,
      int realPictures,
      Machine machine,
      String command,
      String before) {
    StringBuilder page = new StringBuilder(header(settings, realPictures, machine, command));
    page.append("\n## What came out\n\n")
        .append(BEGIN)
        .append(kept(before))
        .append(END)
        .append('\n');
    for (Uncached set : uncached) {
      page.append("\n## %s\n\n".formatted(set.table().title()));
      page.append(
          "| budget | method | speedup | CUR | PSNR, dB | SSIM | %s accuracy, %% | Fréchet to real | Fréchet to uncached |\n"
              .formatted(settings.subject() == Subject.SHAPES ? "class" : "caption"));
      page.append("|---|---|---|---|---|---|---|---|---|\n");
      set.measured().ifPresent(m -> page.append(line("1", "uncached", m)));
      for (Row row : rows) {
        if (row.cell().table().equals(set.table()) && row.measured().isPresent()) {
          Measured measured = row.measured().get();
          page.append(line(row.cell().speedup() + "", title(row.cell(), measured), measured));
        }
      }
      List<String> missing =
          rows.stream()
              .filter(row -> row.cell().table().equals(set.table()) && row.measured().isEmpty())
              .map(row -> "%s at %s".formatted(row.cell().method().title, row.cell().speedup()))
              .toList();
      if (!missing.isEmpty()) {
        page.append("\nNot measured: ").append(String.join("; ", missing)).append(".\n");
      }
    }
    return page.toString();
  }

  private static String header(
      Settings settings, int realPictures, Machine machine, String command) {
    boolean shapes = settings.subject() == Subject.SHAPES;
    return """
        # %s

        Routers and rules at equal cost: the same %d pictures of `%s`, %s, %s.
        Picture i starts from the noise of seed %d + i in every line. No line was left out for its numbers.

        - *budget*: the theoretical speedup aimed at; *speedup*: what the method has, FLOPs of the uncached trajectory / its FLOPs. Rules that
          compute whole steps come only so near to a budget; trained routers were asked for what FORA's table costs there.
        - *CUR*: share of branch executions that were reused.
        - *PSNR*, *SSIM*: mean over the pictures, to the uncached picture from the same noise; *same*: it is that picture.
        - %s
        - *Fréchet to real*: Fréchet distance in that network's features to %d drawn %s; *to uncached*: to the uncached pictures from the same noise,
          which a set of this size tells apart far better. Lower is better; both depend on the number of pictures, so compare within this page only.
        - In brackets the 95 %% interval: normal for means, Wilson's for shares, jackknife over 20 parts for Fréchet distances. It covers the
          choice of pictures, not the luck of a training.

        Machine: %s.

        Trained routers are in `tests/results/routers`, made by `bin/harmonica train --checkpoint %s --steps T --sampler S
        --guidance %s --target-speedup X%s` with the following; `<NAME>` is the router of that name with the same S, T and X.

        %s
        To repeat it (what is measured already is kept in `tests/results/cells.jsonl`, by digests of checkpoint, router and network; `--train`
        trains routers that are missing):

        ```sh
        %s
        ```
        """
        .formatted(
            shapes ? "Results on the example model" : "Results on text to image",
            settings.count(),
            settings.checkpoint(),
            shapes
                ? "%d of each class".formatted(settings.count() / DrawnShapes.CLASSES)
                : "of captions whose combinations were never trained",
            settings.guidance() <= 1 ? "without guidance" : "guidance " + settings.guidance(),
            settings.seed(),
            shapes
                ? "*class accuracy*: share of pictures that a small network, trained on drawn shapes, takes for their class."
                : "*caption accuracy*: share of pictures of which all is true that their caption says, by a small network that reads shapes, colours and places.",
            realPictures,
            shapes ? "shapes" : "scenes",
            machine.line(),
            settings.checkpoint(),
            settings.guidance(),
            settings.subject().training,
            trainings(settings),
            command);
  }

  private static String trainings(Settings settings) {
    return settings.methods().stream()
        .filter(Method::isTrained)
        .map(
            method ->
                "- %s: `%s`%s%n"
                    .formatted(
                        method.title, settings.subject().training(method), restriction(method)))
        .collect(Collectors.joining());
  }

  private static String restriction(Method method) {
    return method.isFor(Integer.MAX_VALUE)
        ? ""
        : " (up to %d steps, for the time it takes)".formatted(method.mostSteps);
  }

  private static String kept(String before) {
    int begin = before.indexOf(BEGIN);
    int end = before.indexOf(END);
    return begin < 0 || end < begin ? "\n" : before.substring(begin + BEGIN.length(), end);
  }

  private static String title(Cell cell, Measured measured) {
    return cell.method() == Method.FEWER_STEPS
        ? measured.key().variant().replace("uncached-", "") + " steps"
        : cell.method().title;
  }

  private static String line(String budget, String method, Measured m) {
    return "| %s | %s | %.2f | %.1f %% | %s | %s | %s | %s | %s |\n"
        .formatted(
            budget,
            method,
            m.speedup(),
            100 * m.cur(),
            Double.isInfinite(m.psnr().value()) ? "same" : number(m.psnr(), 1, 2),
            Double.isInfinite(m.psnr().value()) ? "same" : number(m.ssim(), 1, 4),
            number(m.accuracy(), 100, 1),
            number(m.toReal(), 1, 3),
            Double.isInfinite(m.psnr().value()) ? "same" : number(m.toUncached(), 1, fine(m)));
  }

  /** Digits that show two of a distance's own; it spans four orders of magnitude. */
  private static int fine(Measured m) {
    return Math.max(4, 1 - (int) Math.floor(Math.log10(m.toUncached().value())));
  }

  private static String number(Estimate estimate, double unit, int digits) {
    String form = "%." + digits + "f";
    return String.format(
        Locale.ROOT,
        form + " (" + form + " .. " + form + ")",
        unit * estimate.value(),
        unit * estimate.low(),
        unit * estimate.high());
  }
}
