package io.harmonica.train;

/** Follows a training run. */
public interface Progress {

  /**
   * A piece of work begins.
   *
   * @param name what is done, in a word or two
   * @param total how often {@link #advance} will be called, at most
   */
  void begin(String name, int total);

  /**
   * One more is done.
   *
   * @param note numbers to show beside it
   */
  void advance(String note);

  /** What whoever started the run may not have meant, in a line. */
  void note(String what);
}
