package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Shows;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * What the rows of a DiT's label table stand for. facebook's code adds a row for the null class
 * where labels are dropped in training, and only there; a table does not say which it is.
 *
 * @param rows of the table
 * @param classes the first of them
 * @param nullClass whether the row after the classes is the null class
 * @param told whether anything said so
 */
record LabelTable(int rows, int classes, boolean nullClass, boolean told) {

  /** Of a checkpoint without a configuration: by its settings and the user's choice. */
  static LabelTable of(Checkpoint checkpoint, int rows, Settings settings, Choices choices) {
    OptionalInt stated = settings.classes();
    boolean fits =
        stated.isPresent() && (stated.getAsInt() == rows || stated.getAsInt() == rows - 1);
    if (rows == 1) {
      return new LabelTable(1, 1, false, true);
    }
    OptionalDouble dropout = settings.classDropout();
    if (dropout.orElse(0) > 0) {
      if (choices.noNullClass()) {
        throw new HarmonicaException(
            "%s: its settings say that class labels were dropped in training (%s), so the last of %d label rows is the null class; leave `noNullClass` out"
                .formatted(checkpoint.path(), settings.words(Settings.CLASS_DROPOUT), rows));
      }
      return new LabelTable(rows, rows - 1, true, true);
    }
    if (choices.noNullClass() || dropout.isPresent()) { // a row too many was never trained
      return new LabelTable(rows, fits ? stated.getAsInt() : rows, false, true);
    }
    boolean none = fits && stated.getAsInt() == rows;
    return new LabelTable(rows, none ? rows : rows - 1, !none, fits);
  }

  /** A model's interface with or without a null class, as the table has one. */
  Denoiser.Interface of(Denoiser.Interface io) {
    return io.withShows(new Shows.Classes(classes, nullClass));
  }

  /** Of a configuration, which states the classes; diffusers' table always has one row more. */
  static LabelTable stated(int classes, Choices choices) {
    return new LabelTable(classes + 1, classes, !choices.noNullClass(), true);
  }
}
