package io.harmonica.results;

import java.util.ArrayList;
import java.util.List;

/**
 * What the lines of a table have in common: how pictures are drawn, and in which form the model.
 */
record Table(Trajectory trajectory, Form form) {

  /** In the order of the page. */
  static List<Table> all(Settings settings) {
    List<Table> tables = new ArrayList<>();
    for (Trajectory trajectory : settings.trajectories()) {
      for (Form form : settings.forms()) {
        tables.add(new Table(trajectory, form));
      }
    }
    return tables;
  }

  String title() {
    return trajectory.title() + (form.title.isEmpty() ? "" : ", " + form.title);
  }
}
