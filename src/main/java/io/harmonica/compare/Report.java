package io.harmonica.compare;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.repository.Role;
import io.harmonica.router.Router;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A comparison, ready to be told: as a table for the terminal, as JSON, as an HTML page and as
 * JUnit's XML.
 *
 * @param title of the page
 * @param summary one or two sentences: what was generated, and how
 * @param command the command line that repeats the comparison
 * @param variants the first is A, which speedups and quality are to
 * @param verdicts on the gates
 */
public record Report(
    String title,
    String summary,
    String command,
    Comparison.Plan plan,
    Outcome outcome,
    List<Entry> variants,
    Machine machine,
    List<Gate.Verdict> verdicts) {
  private static final double MOST_OVERHEAD = 0.01;

  public Report {
    variants = List.copyOf(variants);
    verdicts = List.copyOf(verdicts);
    if (variants.isEmpty()) {
      throw new IllegalArgumentException("a report needs at least one variant");
    }
  }

  /**
   * A variant of the report.
   *
   * @param key {@code a}, {@code b}, ... by which gates name it
   * @param description what it does, in a few words
   * @param saved what its router saves
   * @param toA how it compares with A
   * @param roles of the models that its requests ran, by name
   */
  public record Entry(
      String key,
      Setting setting,
      String description,
      Measurement measurement,
      Saved saved,
      ToA toA,
      Map<String, Role> roles) {

    /** Cache utilisation ratio, 0..1. */
    public double cur() {
      return saved.cur;
    }

    /** To A, by FLOPs; NaN where nothing was measured. */
    public double theoreticalSpeedup() {
      return saved.theoreticalSpeedup;
    }

    /** The router that it follows. */
    public Optional<Router> router() {
      return saved.router;
    }

    /** To A; empty where no round of both was measured. */
    public Optional<Speedup> speedup() {
      return toA.speedup;
    }

    /** To A's pictures; empty where none are, or latents are not pictures. */
    public Optional<Quality> quality() {
      return toA.quality;
    }

    /** Of a network on its pictures, where one was asked. */
    public Optional<Judge.Judgement> judgement() {
      return toA.judgement;
    }

    public String name() {
      return setting.name();
    }

    /** The part of the theoretical speedup that the clock confirms; 1 is all of it. */
    public double realised() {
      return toA.speedup.map(s -> s.value() / saved.theoreticalSpeedup).orElse(Double.NaN);
    }

    /** Where a request's time went. */
    public TimeSplit split() {
      return TimeSplit.of(measurement, roles);
    }
  }

  /**
   * What a router saves.
   *
   * @param cur cache utilisation ratio, 0..1
   * @param theoreticalSpeedup to A, by FLOPs; NaN where nothing was measured
   * @param router that is followed
   */
  public record Saved(double cur, double theoreticalSpeedup, Optional<Router> router) {}

  /**
   * How a variant compares with A.
   *
   * @param speedup empty where no round of both was measured
   * @param quality of its pictures; empty where none are, or latents are not pictures
   * @param judgement of a network on its pictures, where one was asked
   */
  public record ToA(
      Optional<Speedup> speedup, Optional<Quality> quality, Optional<Judge.Judgement> judgement) {}

  public Entry a() {
    return variants.get(0);
  }

  /** Rounds of which every variant was measured that did not fail. */
  public int rounds() {
    return variants.stream().mapToInt(e -> e.measurement().turns().size()).max().orElseThrow();
  }

  /** Whether everything was measured and no gate says no. */
  public boolean isFine() {
    return !outcome.interrupted()
        && variants.stream().allMatch(entry -> entry.measurement().fault().isEmpty())
        && verdicts.stream().noneMatch(Gate.Verdict::fired);
  }

  /** The same report with verdicts on gates. */
  public Report judgedBy(List<Gate> gates) {
    return new Report(
        title,
        summary,
        command,
        plan,
        outcome,
        variants,
        machine,
        gates.stream().map(gate -> gate.judge(variants)).toList());
  }

  /** What a reader must know before the numbers, in whole sentences. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    for (Entry entry : variants) {
      entry
          .measurement()
          .fault()
          .ifPresent(
              fault ->
                  notes.add(
                      "Variant %s (%s) failed in round %d of %d, its earlier rounds count: %s"
                          .formatted(
                              entry.key(),
                              entry.name(),
                              entry.measurement().turns().size() + 1,
                              plan.rounds().count(),
                              fault)));
    }
    for (Entry entry : variants) {
      if (entry.measurement().uncounted() > 0) {
        notes.add(
            "The server had not counted %d calls of variant %s (%s) two seconds after it answered them: where its time goes is not all known."
                .formatted(entry.measurement().uncounted(), entry.key(), entry.name()));
      }
    }
    if (outcome.interrupted()) {
      notes.add(
          "Interrupted: %d of %d rounds were measured.".formatted(rounds(), plan.rounds().count()));
    }
    if (rounds() < Speedup.LEAST_ROUNDS) {
      notes.add(
          "%d rounds are too few for a 95 %% interval: it takes at least %d."
              .formatted(rounds(), Speedup.LEAST_ROUNDS));
    }
    if (!outcome.stable() && plan.rounds().warmUp().most() > plan.rounds().warmUp().least()) {
      notes.add(
          "After %d warm-up rounds some variant was still becoming faster by more than %d %% a round."
              .formatted(outcome.warmUps(), WarmUp.GAIN_PERCENT));
    }
    if (outcome.overhead() > MOST_OVERHEAD) {
      notes.add(
          Numbers.format(
              "Measuring took %.1f %% on top of what it measured.", 100 * outcome.overhead()));
    }
    if (variants.stream().anyMatch(e -> !e.measurement().isEmpty() && e.quality().isEmpty())) {
      notes.add(
          "No PSNR or SSIM: the latents are not pictures of at least %1$d x %1$d pixels."
              .formatted(Ssim.WINDOW));
    }
    return notes;
  }

  /** How it was measured, in a sentence. */
  public String conduct() {
    return "%d interleaved rounds of %d pictures after %d to warm up, %s, seed %d; measuring took %s %% on top."
        .formatted(
            rounds(),
            plan.subjects().perRound(),
            outcome.warmUps(),
            plan.rounds().load().words(),
            plan.subjects().seed(),
            Numbers.format("%.2f", 100 * outcome.overhead()));
  }

  /** The numbers as JSON. {@code psnr} in decibels is null where the pictures are identical. */
  public ObjectNode json() {
    return ReportJson.of(this);
  }

  /** The numbers as a table of at most 100 columns, for a terminal. */
  public String table() {
    return ReportTable.of(this);
  }

  /** One HTML page that needs no other file. */
  public String page() {
    return page(List.of(this));
  }

  /** The same of several reports, below each other, under the title of the first. */
  public static String page(List<Report> reports) {
    return ReportPage.of(reports);
  }

  /** Variants and gates as test cases, in the XML that JUnit made common. */
  public String junit() {
    return ReportJunit.of(this);
  }
}
