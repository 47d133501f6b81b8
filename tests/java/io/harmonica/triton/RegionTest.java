package io.harmonica.triton;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.export.Tmpfs;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RegionTest {
  @TempDir Path folder;

  @Test
  void region_isAFileOfItsOwnerAlone_underANameThatCannotBeGuessed() throws IOException {
    Set<String> names = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      try (Region region = Region.create(folder, 5000)) {
        assertThat(region.name()).matches("harmonica-region-[0-9a-f]{32}");
        assertThat(names.add(region.name())).isTrue();
        Path file = folder.resolve(region.name());
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
            .isEqualTo("rw-------");
        assertThat(Files.size(file)).isEqualTo(5000);
      }
    }
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void views_showWhatLiesInTheFile_atAnyOffset() throws IOException {
    try (Region region = Region.create(folder, 10_000)) {
      region.view(4032, 8).putInt(0x01020304).putInt(7);
      ByteBuffer read = ByteBuffer.allocate(8);
      try (FileChannel file =
          FileChannel.open(folder.resolve(region.name()), StandardOpenOption.READ)) {
        file.read(read, 4032);
      }
      assertThat(read.array()).containsExactly(4, 3, 2, 1, 7, 0, 0, 0);
      assertThat(region.view(4032, 4).remaining()).isEqualTo(4);
      assertThat(region.view(4032, 16).getLong(8)).isZero();
    }
  }

  @Test
  void sweep_deletesWhatNoProcessHolds_andNoneOfOurs() throws IOException {
    Path stale = Files.writeString(folder.resolve(Region.PREFIX + "stale"), "left by a crash");
    Path others = Files.writeString(folder.resolve("triton_region"), "another's");
    try (Region ours = Region.create(folder, 64)) {
      assertThat(Region.sweep(folder)).containsExactly(Region.PREFIX + "stale");
      assertThat(stale).doesNotExist();
      assertThat(others).exists();
      assertThat(folder.resolve(ours.name())).exists();
    }
  }

  @Test
  void sweep_sparesWhatALivingProcessHolds() throws Exception {
    Path held = Files.writeString(folder.resolve(Region.PREFIX + "held"), "x");
    Process holder =
        new ProcessBuilder(
                "python3",
                "-c",
                "import fcntl, sys; f = open(sys.argv[1], 'r+'); fcntl.lockf(f, fcntl.LOCK_EX);"
                    + " print('held', flush=True); sys.stdin.read()",
                held.toString())
            .start();
    try {
      assertThat(holder.inputReader().readLine()).isEqualTo("held");
      assertThat(Region.sweep(folder)).isEmpty();
      assertThat(held).exists();
    } finally {
      holder.destroyForcibly().waitFor();
    }
    assertThat(Region.sweep(folder)).containsExactly(Region.PREFIX + "held");
    assertThat(held).doesNotExist();
  }

  @Test
  void create_inFullMemory_saysHowMuchIsMissing_andLeavesNothing() throws IOException {
    try (Tmpfs small = Tmpfs.mount(folder.resolve("small"), "size=1m")) {
      assertThatThrownBy(() -> Region.create(small.folder(), 3 << 20))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(
              "shared memory of 3.0 MiB does not fit into "
                  + small.folder()
                  + ", which has 1.0 MiB")
          .hasMessageContaining("`sharedMemory` off");
      try (Region first = Region.create(small.folder(), 700 << 10);
          Stream<Path> files = Files.list(small.folder())) {
        assertThatThrownBy(() -> Region.create(small.folder(), 700 << 10))
            .hasMessageContaining("has 0.3 MiB free");
        assertThat(files).hasSize(1);
        assertThat(first.sizeBytes()).isEqualTo(700 << 10);
      }
    }
  }
}
