package io.harmonica.compare;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.harmonica.Timesteps;
import io.harmonica.generate.Style;
import io.harmonica.picture.Latents;
import io.harmonica.repository.Role;
import io.harmonica.router.Router;
import io.harmonica.runtime.Device;
import io.harmonica.runtime.Statistics;
import io.harmonica.runtime.Traffic;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;

/** Reports for tests, with plausible numbers. */
final class Reports {
  static final int ROUNDS = 8;

  private Reports() {}

  static Report of(Report.Entry... entries) {
    return of(false, entries);
  }

  static Report of(boolean interrupted, Report.Entry... entries) {
    List<Measurement> measurements = new ArrayList<>();
    for (Report.Entry entry : entries) {
      measurements.add(entry.measurement());
    }
    return new Report(
        "Cached branches",
        "40 pictures, 20 steps",
        "bin/harmonica demo",
        plan(),
        new Outcome(measurements, 2, true, interrupted, 0.0021),
        List.of(entries),
        new Machine("Some CPU", 2, 8L << 30, "Linux 6.1", "17.0.15", "ONNX Runtime 1.23.2"),
        List.of());
  }

  static Comparison.Plan plan() {
    return new Comparison.Plan(
        new Rounds(ROUNDS, WarmUp.UNTIL_STABLE, Load.ONE_BY_ONE, 0),
        new Subjects(List.of(0, 1, 2, 3), 4, 0),
        4);
  }

  static Report.Entry reference() {
    return entry("none", 0, 1, 1, Double.POSITIVE_INFINITY);
  }

  static Report.Entry entry(
      String name, double cur, double theoretical, double speedup, double psnr) {
    Measurement measurement = measurement(name, Math.round(8e8 / speedup), ROUNDS);
    return new Report.Entry(
        name.substring(0, 1),
        setting(name),
        "does " + name,
        measurement,
        new Report.Saved(cur, theoretical, cur > 0 ? Optional.of(router(name)) : Optional.empty()),
        new Report.ToA(
            Optional.of(
                new Speedup(speedup, speedup - 0.03, speedup + 0.02, speedup - 0.1, speedup + 0.1)),
            Optional.of(new Quality(List.of(psnr), List.of(0.95))),
            Optional.empty()),
        ROLES);
  }

  private static final java.util.Map<String, Role> ROLES =
      java.util.Map.of(
          "m-embed", Role.of(Role.Kind.EMBED),
          "m-block00-cc", Role.block("00", "cc"),
          "m-head", Role.of(Role.Kind.HEAD));

  /** An entry whose variant failed after some rounds. */
  static Report.Entry failed(String name, int rounds, String fault) {
    Measurement some = measurement(name, 400_000_000, ROUNDS);
    Measurement measurement =
        new Measurement(name, some.turns().subList(0, rounds), Optional.of(fault));
    Measurement a = measurement("none", 800_000_000, ROUNDS);
    return new Report.Entry(
        name.substring(0, 1),
        setting(name),
        "does " + name,
        measurement,
        new Report.Saved(0.5, rounds == 0 ? Double.NaN : 2, Optional.empty()),
        new Report.ToA(measurement.speedupTo(a, 0), measurement.qualityTo(a), Optional.empty()),
        ROLES);
  }

  /** An entry of whose calls the server did not count some. */
  static Report.Entry uncounted(String name, int calls) {
    Report.Entry entry = entry(name, 0.5, 2, 1.9, 30);
    List<Turn> turns = new ArrayList<>(entry.measurement().turns());
    Turn last = turns.remove(turns.size() - 1);
    Statistics spent = new Statistics(last.spent().models(), last.spent().traffic(), calls);
    turns.add(
        new Turn(
            last.timeNanos(), last.makespanNanos(), last.latenciesNanos(), last.samples(), spent));
    return new Report.Entry(
        entry.key(),
        entry.setting(),
        entry.description(),
        new Measurement(name, turns, Optional.empty()),
        entry.saved(),
        entry.toA(),
        entry.roles());
  }

  static Setting setting(String name) {
    return new Setting(
        name,
        "/models",
        false,
        "m",
        Style.DEFAULT.withSteps(20),
        OptionalInt.empty(),
        OptionalInt.empty(),
        false,
        Device.CPU);
  }

  /** Rounds of one request of four pictures that each take about as long. */
  static Measurement measurement(String name, long nanos, int rounds) {
    Random random = new Random(name.hashCode());
    List<Turn> turns = new ArrayList<>();
    for (int round = 0; round < rounds; round++) {
      long time = Math.round(nanos * (1 + 0.01 * random.nextGaussian()));
      Statistics spent =
          new Statistics(
              java.util.Map.of(
                  "m-embed", model(time / 20),
                  "m-block00-cc", model(time / 2),
                  "m-head", model(time / 30)),
              Traffic.NONE);
      Variant.Sample sample =
          new Variant.Sample(pictures(4, random), time, time * 9 / 10, 1 << 20, 20);
      turns.add(new Turn(time, time, new long[] {time}, List.of(sample), spent));
    }
    return new Measurement(name, turns, Optional.empty());
  }

  private static Statistics.Model model(long nanos) {
    return new Statistics.Model(20, nanos, 0, nanos);
  }

  static Latents pictures(int count, Random random) {
    float[] values = new float[count * 3 * 16 * 16];
    for (int i = 0; i < values.length; i++) {
      values[i] = random.nextFloat() * 2 - 1;
    }
    return new Latents(values, count, 3, 16, 16);
  }

  static Router router(String name) {
    String safe = name.replaceAll("[^A-Za-z0-9]", "x");
    List<String> branches = List.of("block00.attention", "block00.mlp", "block01.attention");
    double[][] scores = {{1, 1, 1}, {0, 0.9, 0.2}, {1, 0.6, 0.4}, {0, 0, 0}};
    return new Router(
        safe,
        "DiT-2x8/2",
        "ddim",
        4,
        Timesteps.of(List.of(750, 500, 250, 0)),
        0.5,
        branches,
        scores,
        io.harmonica.router.Reuse.LAST,
        JsonNodeFactory.instance.objectNode());
  }
}
