package io.harmonica.results;

import io.harmonica.model.Branch;
import io.harmonica.model.Model;
import io.harmonica.router.TargetSpeedup;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * One line of a table.
 *
 * @param steps DDIM steps of the uncached trajectory
 * @param speedup wanted, theoretical
 */
record Cell(int steps, double speedup, Method method) {

  /** All cells of the settings, in the order of the page. */
  static List<Cell> all(Settings settings) {
    List<Cell> cells = new ArrayList<>();
    for (int steps : settings.steps()) {
      for (double speedup : settings.speedups()) {
        for (Method method : Method.values()) {
          cells.add(new Cell(steps, speedup, method));
        }
      }
    }
    return cells;
  }

  /**
   * For example {@code ddim20-1.5-sdt-linear}: the name of its router, and of the router's file.
   */
  String name() {
    return String.format(Locale.ROOT, "ddim%d-%s-%s", steps, speedup, method.id);
  }

  /** The file of a trained router in its folder. */
  String file() {
    return name() + ".json";
  }

  /** What rules are parametrised to. */
  TargetSpeedup target(Model model) {
    return new TargetSpeedup(speedup, model.flops(), steps, branches(model));
  }

  static List<String> branches(Model model) {
    return model.denoiser().branches().stream().map(Branch::name).toList();
  }

  /** The command that trains the router, or goes on with the training of another. */
  String command(Settings settings) {
    StringBuilder command = new StringBuilder("bin/harmonica train");
    command.append(" --checkpoint ").append(settings.checkpoint());
    command.append(" --steps ").append(steps).append(" --sampler ddim");
    command.append(" --guidance ").append(settings.guidance());
    command.append(' ').append(method.training);
    command.append(" --target-speedup ").append(speedup);
    if (!settings.trainOptions().isBlank()) {
      command.append(' ').append(settings.trainOptions().strip());
    }
    if (method.before != null) {
      String state = new Cell(steps, speedup, method.before).name() + ".state.json";
      command.append(" --resume ").append(settings.routers().resolve(state));
    }
    return command.append(" --out ").append(settings.routers().resolve(file())).toString();
  }
}
