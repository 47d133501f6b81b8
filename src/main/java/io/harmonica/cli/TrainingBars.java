package io.harmonica.cli;

import io.harmonica.train.Progress;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Shows training as progress bars on the error stream, where the launcher found a terminal. */
final class TrainingBars implements Progress, AutoCloseable {
  private final Console console;
  private ProgressBar bar;

  TrainingBars(Console console) {
    this.console = console;
  }

  @Override
  public void begin(String name, int total) {
    close();
    if (Boolean.getBoolean("harmonica.terminal")) {
      bar =
          new ProgressBarBuilder()
              .setTaskName(name)
              .setInitialMax(total)
              .setStyle(ProgressBarStyle.ASCII)
              .setConsumer(new ConsoleProgressBarConsumer(console.err()))
              .build();
    }
  }

  @Override
  public void advance(String note) {
    if (bar != null) {
      bar.step();
      bar.setExtraMessage(note);
    }
  }

  @Override
  public void note(String what) {
    console.note(what);
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
