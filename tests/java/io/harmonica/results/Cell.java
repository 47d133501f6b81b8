package io.harmonica.results;

import io.harmonica.origin.Model;
import io.harmonica.router.Savings;
import io.harmonica.router.TargetSpeedup;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One line of a table.
 *
 * @param trajectory uncached
 * @param form of the model
 * @param speedup wanted, theoretical
 */
record Cell(Trajectory trajectory, Form form, double speedup, Method method) {

  /** All cells of the settings, in the order of the page. */
  static List<Cell> all(Settings settings) {
    List<Cell> cells = new ArrayList<>();
    for (Table table : Table.all(settings)) {
      for (double speedup : settings.speedups()) {
        for (Method method : settings.methods()) {
          if (method.isFor(table.trajectory().steps())) {
            cells.add(new Cell(table.trajectory(), table.form(), speedup, method));
          }
        }
      }
    }
    return cells;
  }

  Table table() {
    return new Table(trajectory, form);
  }

  /**
   * For example {@code ddim20-1.5-sdt-linear}: the name of its router, and of the router's file;
   * all forms of a model have the same.
   */
  String name() {
    String drawn = trajectory.name().replace('+', 'p'); // which names of routers lack
    return String.format(Locale.ROOT, "%s-%s-%s", drawn, speedup, method.id);
  }

  /** The file of a trained router in its folder. */
  String file() {
    return name() + ".json";
  }

  /** What rules are parametrised to. */
  TargetSpeedup target(Model model) {
    return new TargetSpeedup(speedup, model.flops(), steps(), branches(model));
  }

  int steps() {
    return trajectory.steps();
  }

  /** The number of uncached steps that costs as much: a shorter trajectory is the simplest way. */
  int fewerSteps() {
    return (int) Math.max(1, Math.round(steps() / speedup));
  }

  static List<String> branches(Model model) {
    return model.denoiser().branchNames();
  }

  /** The command that trains the router, for what FORA's table of the cell costs. */
  String command(Settings settings, Model model) {
    List<String> words = new ArrayList<>(List.of("bin/harmonica train"));
    words.add("--checkpoint " + settings.checkpoint());
    words.add("--steps %d --sampler %s".formatted(steps(), trajectory.sampler()));
    words.add("--guidance " + settings.guidance());
    words.add(training(settings) + settings.subject().training);
    words.add(String.format(Locale.ROOT, "--target-speedup %.3f", budget(model)));
    if (!settings.trainOptions().isBlank()) {
      words.add(settings.trainOptions().strip());
    }
    words.add("--out " + settings.routers().resolve(file()));
    return String.join(" ", words);
  }

  private String training(Settings settings) {
    String training = settings.subject().training(method);
    for (Method other : Method.values()) {
      Path file = settings.routers().resolve(new Cell(trajectory, form, speedup, other).file());
      training = training.replace("<" + other.id + ">", file.toString());
    }
    return training;
  }

  /** Whole steps, which rules take, rarely cost just what is wanted. In thousandths, from below. */
  private double budget(Model model) {
    boolean[][] fora = target(model).fora().computes(steps(), branches(model));
    return Math.floor(Savings.speedup(fora, model.flops()) * 1000) / 1000;
  }
}
