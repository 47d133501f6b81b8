package io.harmonica.train;

import io.harmonica.train.trajectory.Batch;

/** What training minimises, an iteration at a time. */
interface Objective {

  /**
   * One iteration: finds the gradient of every trainable step's MSE and hands it over, which
   * changes the table at once.
   */
  void iterate(Table table, Batch batch, Updates updates);
}
