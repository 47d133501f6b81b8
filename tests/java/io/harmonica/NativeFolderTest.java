package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Libraries with native code on real mounts that forbid it, in a namespace of their own. */
class NativeFolderTest {
  @TempDir Path folder;

  /** Of processes on musl 1.2.3: as Debian installs it, and as Alpine does. */
  private static final List<String> MUSL =
      List.of(
          "7fa08b115000-7fa08b178000 r-xp 00015000 fe:00 10003104                   /lib/x86_64-linux-musl/libc.so",
          "7fb971a48000-7fb971aab000 r-xp 00015000 fe:00 9977881                    /lib/ld-musl-x86_64.so.1");

  @ParameterizedTest
  @CsvSource({
    "onnx, noexec, ONNX Runtime, is mounted noexec",
    "onnx, ro, ONNX Runtime, Read-only file system",
    "tokenizer, noexec, the tokenizer library, is mounted noexec",
    "tokenizer, ro, the tokenizer library, Read-only file system",
    "torch, noexec, libtorch, is mounted noexec",
    "torch, ro, libtorch, Read-only file system"
  })
  void folderThatForbidsIt_isNamed_withTheRemedy(
      String library, String mount, String name, String obstacle) throws Exception {
    assertThat(load(library, mount, "-Djava.io.tmpdir=" + folder, "-Duser.home=" + folder))
        .startsWith("error: " + name + " cannot unpack its native code: " + folder)
        .contains(obstacle, "JAVA_OPTS=-Djava.io.tmpdir=DIR")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"noexec", "ro"})
  void homeThatForbidsIt_leavesTheTemporaryFolder(String mount, @TempDir Path temporary)
      throws Exception {
    assertThat(load("tokenizer", mount, "-Djava.io.tmpdir=" + temporary, "-Duser.home=" + folder))
        .containsPattern("(?m)^loaded \\d+$"); // how many tokens it knows
    assertThat(temporary.resolve(".djl.ai-" + System.getProperty("user.name") + "/tokenizers"))
        .isNotEmptyDirectory();
  }

  @Test
  void fullFolder_isNamed() throws Exception {
    assertThat(load("onnx", "size=1m", "-Djava.io.tmpdir=" + folder, "-Duser.home=" + folder))
        .contains("ONNX Runtime does not load (", ") from " + folder + ", which has 0 MiB free")
        .contains("free space there");
  }

  @Test
  void folderOfASetting_thatForbidsIt_isNamed() throws Exception {
    assertThat(load("torch", "noexec", "-Dorg.bytedeco.javacpp.cachedir=" + folder))
        .startsWith("error: libtorch cannot load its native code: " + folder)
        .contains("a setting names, is mounted noexec")
        .hasLineCount(1);
  }

  @Test
  void missingFolder_isMade() {
    Path missing = folder.resolve("a/b");
    assertThat(NativeFolder.choose("it", missing)).isEqualTo(missing).isEmptyDirectory();
  }

  @Test
  void file_isNoFolder() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "");
    assertThatThrownBy(() -> NativeFolder.choose("it", file, file.resolve("b")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("it cannot unpack its native code: " + file + " cannot be written")
        .hasMessageContaining(file.resolve("b") + " cannot be written to");
  }

  @Test
  void musl_isToldByWhatIsMapped() throws IOException {
    for (String line : MUSL) {
      Path maps = Files.write(folder.resolve("maps"), List.of("00400000 r-xp /usr/bin/java", line));
      assertThat(NativeFolder.isMusl(maps)).as(line).isTrue();
    }
    assertThat(NativeFolder.isMusl(Path.of("/proc/self/maps"))).isFalse(); // tests run on glibc
    assertThat(NativeFolder.isMusl(folder.resolve("none"))).isFalse();
  }

  /** Loads a library while {@link #folder} is a mount of that kind, and returns what was said. */
  private String load(String library, String mount, String... options) throws Exception {
    List<String> command = new ArrayList<>(mounting("exec \"$@\"", mount));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.addAll(List.of(LoadNatives.class.getName(), library));
    assumeTrue(
        run(mounting("true", mount)).code() == 0, "no mounts in a namespace of our own here");
    Ended ended = run(command);
    assertThat(ended.code()).as(ended.said()).isZero();
    return ended.said();
  }

  private List<String> mounting(String then, String mount) {
    String script = "mount -t tmpfs -o \"$1\" tmpfs \"$2\" && shift 2 && " + then;
    String root = System.getProperty("user.name").equals("root") ? "-m" : "-rm";
    return List.of("unshare", root, "sh", "-c", script, "sh", mount, folder.toString());
  }

  private record Ended(int code, String said) {}

  private static Ended run(List<String> command) throws InterruptedException {
    try {
      Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
      String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
      return new Ended(process.waitFor(), said.strip());
    } catch (IOException e) {
      return new Ended(1, e.toString()); // no unshare here
    }
  }
}
