package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.Checkpoints;
import io.harmonica.calibration.Ranges;
import io.harmonica.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrateCommandTest {
  @TempDir Path folder;

  private Path file(String name) {
    return folder.resolve(name + ".safetensors");
  }

  private Invocation calibrate(String out, String... more) {
    List<String> words =
        new ArrayList<>(
            List.of("calibrate", "--checkpoint", Checkpoints.DIT.toString(), "--steps", "3"));
    words.addAll(List.of("--batch", "1", "--moments", "mlp", "--out", file(out).toString()));
    words.addAll(List.of(more));
    return Invocation.of(words.toArray(String[]::new));
  }

  private Invocation export(String ranges, Path checkpoint) {
    String to = folder.resolve("models").toString();
    String[] words = {
      "--checkpoint",
      checkpoint.toString(),
      "--precision",
      "int8-static",
      "--ranges",
      file(ranges).toString(),
      "--model-repository",
      to
    };
    return Invocation.export(words);
  }

  /** All channels of all sites, and moments of the three MLPs. */
  @Test
  void file_holdsEverySite_andGoesOnWhereItEnded() {
    Invocation whole = calibrate("whole", "--pictures", "2");
    assertThat(whole.code()).as(whole.err()).isZero();
    assertThat(whole.err())
        .isEqualTo("note: moments of 3 sites take 192.0 KiB, in memory and in the file\n");
    assertThat(whole.out())
        .isEqualTo("wrote %s: 12 sites of DiT-3x32/2, 2 pictures\n".formatted(file("whole")));
    assertThat(calibrate("half", "--pictures", "1").code()).isZero();
    String half = file("half").toString();
    assertThat(calibrate("half", "--pictures", "2", "--resume", half).err())
        .doesNotContain("error");
    try (Checkpoint one = Checkpoint.open(file("whole"));
        Checkpoint two = Checkpoint.open(file("half"))) {
      assertThat(one.names()).hasSize(15).isEqualTo(two.names());
      for (String name : one.names()) {
        assertThat(two.tensor(name).floats()).as(name).containsExactly(one.tensor(name).floats());
      }
      float[] moment = one.tensor("moment/blocks.1.mlp.fc2.weight").floats();
      float[] largest = one.tensor("largest/blocks.1.mlp.fc2.weight").floats();
      for (int c = 0; c < largest.length; c++) { // of 2 x 2 x 16 tokens at steps 0 and 2
        double square = Math.pow(largest[c], 2);
        assertThat((double) moment[c * largest.length + c]).isBetween(square * 0.999, square * 128);
      }
    }
    assertThat(calibrate("half", "--pictures", "2", "--resume", half).err())
        .contains("is of 2 pictures already, no fewer than --pictures 2: ask for more");
    assertThat(calibrate("half", "--pictures", "3", "--every", "2", "--resume", half).err())
        .contains("was observed with every 4, not 2: give the same options");
  }

  @Test
  void export_takesRangesOfItsCheckpointOnly_whole() {
    assertThat(calibrate("ranges", "--pictures", "1").code()).isZero();
    Invocation done = export("ranges", Checkpoints.DIT);
    assertThat(done.code()).as(done.err()).isZero();
    assertThat(done.out()).contains(" int8-static with 0 routers in ");
    assertThat(export("ranges", Checkpoints.DIT.resolve("fp16")).err())
        .contains("error: --ranges " + file("ranges") + " is of a checkpoint with digest ");
    try (Ranges ranges = Ranges.open(file("ranges"))) {
      Ranges.Notes notes = ranges.notes();
      Ranges.write(
          file("part"),
          new Ranges.Notes(notes.checkpoint(), 1, 4, notes.settings()),
          Map.of(),
          Map.of());
    }
    assertThat(export("part", Checkpoints.DIT).err())
        .contains(
            " is of 1 pictures so far, of 4: go on with harmonica calibrate and its --resume");
  }
}
