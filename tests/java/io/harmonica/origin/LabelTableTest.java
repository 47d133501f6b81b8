package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LabelTableTest {
  private static final Path FILE = Path.of("tests/resources/io/harmonica/checkpoint/train.pt");

  private static LabelTable table(int rows, Integer classes, Double dropout, boolean option) {
    Map<String, Object> args = new HashMap<>();
    if (classes != null) {
      args.put("num_classes", (long) classes);
    }
    if (dropout != null) {
      args.put("class_dropout_prob", dropout);
    }
    try (Checkpoint checkpoint = Checkpoint.open(FILE)) {
      Choices choices = Choices.NONE.withNoNullClass(option);
      return LabelTable.of(checkpoint, rows, Settings.of(Map.of("args", args)), choices);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          # rows | num_classes | dropout | option | classes | null class | told
          11     |             |         | false  | 10      | true       | false
          11     |             |         | true   | 11      | false      | true
          11     | 11          |         | false  | 11      | false      | true
          11     | 10          |         | false  | 10      | true       | true
          11     | 1000        |         | false  | 10      | true       | false
          11     |             | 0.0     | false  | 11      | false      | true
          11     |             | 0.1     | false  | 10      | true       | true
          11     | 11          | 0.0     | false  | 11      | false      | true
          11     | 11          | 0.1     | false  | 10      | true       | true
          11     | 10          | 0.0     | false  | 10      | false      | true
          11     | 10          |         | true   | 10      | false      | true
          1      |             |         | false  | 1       | false      | true
          1      | 1           | 0.1     | true   | 1       | false      | true
          1      | 1000        |         | false  | 1       | false      | true
          """)
  void of_followsDropout_thenClasses_thenTheLayout(
      int rows,
      Integer classes,
      Double dropout,
      boolean option,
      int ownClasses,
      boolean nullClass,
      boolean told) {
    assertThat(table(rows, classes, dropout, option))
        .isEqualTo(new LabelTable(rows, ownClasses, nullClass, told));
  }

  @Test
  void option_againstSettings_isRefused() {
    assertThatThrownBy(() -> table(11, 10, 0.1, true))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            FILE
                + ": its settings say that class labels were dropped in training (args.class_dropout_prob is 0.1), so the last of 11 label rows is the null class; leave `noNullClass` out");
  }
}
