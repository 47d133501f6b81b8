package io.harmonica.cli;

import io.harmonica.compare.Rounds;
import java.util.List;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/** Says on the error stream how far a comparison is: a bar on a terminal, else a few lines. */
final class ComparisonBar implements Rounds.Listener, AutoCloseable {
  private final Console console;
  private final ProgressBar bar; // null: no terminal
  private int told;

  ComparisonBar(Rounds rounds, List<String> variants, Console console) {
    this.console = console;
    this.bar =
        Boolean.getBoolean("harmonica.terminal")
            ? new ProgressBarBuilder()
                .setTaskName("comparing")
                .setInitialMax((long) rounds.count() * variants.size())
                .setStyle(ProgressBarStyle.ASCII)
                .setConsumer(new ConsoleProgressBarConsumer(console.err()))
                .build()
            : null;
    if (bar == null) {
      console
          .err()
          .printf("comparing %s, %d rounds%n", String.join(", ", variants), rounds.count());
    }
  }

  @Override
  public void onTurn(String variant, int round, boolean warmUp) {
    if (bar != null) {
      bar.setExtraMessage((warmUp ? "warm-up " : "") + variant);
      if (!warmUp) {
        bar.step();
      }
    } else if (!warmUp && round > told && isRound(round)) {
      told = round;
      console.err().printf("%s done%n", RouterCommands.counted(round, "round"));
    }
  }

  /** 1, 2, 5, 10, 20, 50, ... */
  private static boolean isRound(int number) {
    return Integer.toString(number).matches("[125]0*");
  }

  @Override
  public void onFault(String variant, int round, String fault) {
    console.note("%s failed in round %d: %s".formatted(variant, round + 1, fault));
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
