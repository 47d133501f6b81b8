package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class AtomicFileTest {
  @TempDir Path folder;

  @Test
  void write_makesFoldersAndReplaces() throws IOException {
    Path file = folder.resolve("a/b/file.txt");
    AtomicFile.write(file, new byte[] {1, 2, 3});
    AtomicFile.write(file, new byte[] {4});
    assertThat(file).hasBinaryContent(new byte[] {4});
    assertThat(file.getParent().toFile().list()).containsExactly("file.txt");
  }

  @Test
  void write_failsInOneLine_whereTheFolderIsAFile() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "x");
    assertThatThrownBy(() -> AtomicFile.write(file.resolve("b.png"), new byte[5]))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(
            "cannot write",
            file.resolve("b.png").toString(),
            "5 bytes",
            "is a file, not a folder; name another")
        .message()
        .hasLineCount(1);
  }

  @Test
  void write_leavesNothing_whereItCannotMoveIntoPlace() throws IOException {
    Path target = Files.createDirectories(folder.resolve("taken/inside")).getParent();
    assertThatThrownBy(() -> AtomicFile.write(target, new byte[5]))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("taken");
    assertThat(folder.toFile().list()).containsExactly("taken");
  }
}
