package io.harmonica.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.SafetensorsWriter.Floats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A cache as huggingface_hub lays it out. */
class HubCacheTest {
  @TempDir Path cache;
  private Path model;

  @BeforeEach
  void makeCache() throws IOException {
    model = cache.resolve("models--facebook--DiT-XL-2-256");
    Files.createDirectories(model.resolve("refs"));
    Files.createDirectories(model.resolve("blobs"));
    Files.createDirectories(model.resolve("snapshots"));
  }

  @Test
  void snapshot_ofTheReference_amongSeveral() throws IOException {
    snapshot("aaa");
    Path used = snapshot("bbb");
    Files.writeString(model.resolve("refs/main"), "bbb");
    assertThat(HubCache.snapshot(model)).isEqualTo(used);
    try (Checkpoint checkpoint = Checkpoint.open(model)) {
      assertThat(checkpoint.names()).containsExactly("bbb");
      assertThat(checkpoint.path()).isEqualTo(used);
    }
  }

  @Test
  void snapshot_thatIsUnclear_asksForOne() throws IOException {
    refused("without snapshots");
    snapshot("aaa");
    Files.writeString(model.resolve("refs/main"), "ccc\n");
    refused("refs/main is 'ccc', and it has the snapshots 'aaa'");
    Files.delete(model.resolve("refs/main"));
    assertThat(HubCache.snapshot(model)).isEqualTo(model.resolve("snapshots/aaa"));
    snapshot("bbb");
    refused("refs/main is not there, and it has the snapshots 'aaa', 'bbb'");
  }

  @Test
  void snapshot_ofOtherFolders_isThem() throws IOException {
    Path folder = Files.createDirectories(cache.resolve("mine/snapshots")).getParent();
    assertThat(HubCache.snapshot(folder)).isEqualTo(folder);
  }

  @Test
  void open_snapshotWithoutItsBlobs_isCalledThat() throws IOException {
    Path snapshot = snapshot("aaa");
    Path weights = snapshot.resolve("diffusion_pytorch_model.safetensors");
    Path blob = model.resolve("blobs/0123");
    Files.move(weights, blob);
    Files.createSymbolicLink(weights, Path.of("../../blobs/0123"));
    Checkpoint.open(model).close();
    Files.delete(blob);
    assertThatThrownBy(() -> Checkpoint.open(model).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(weights + " is a link to ../../blobs/0123, which is gone");
  }

  @Test
  void repository_ofModelAndSnapshot_isItsName() throws IOException {
    Path snapshot = snapshot("aaa");
    assertThat(HubCache.repository(model)).contains("DiT-XL-2-256");
    assertThat(HubCache.repository(snapshot)).contains("DiT-XL-2-256");
    assertThat(HubCache.repository(cache.resolve("models--gpt2"))).contains("gpt2");
    assertThat(HubCache.repository(cache.resolve("mine"))).isEmpty();
    Path renamed = Files.move(model, cache.resolve("my-dit"));
    assertThat(HubCache.snapshot(renamed)).isEqualTo(renamed.resolve("snapshots/aaa"));
    assertThat(HubCache.repository(renamed.resolve("snapshots/aaa"))).contains("my-dit");
    assertThat(HubCache.repository(snapshot.resolve("model.safetensors"))).isEmpty();
  }

  /** A snapshot whose one tensor is called like it. */
  private Path snapshot(String hash) throws IOException {
    Path folder = Files.createDirectories(model.resolve("snapshots").resolve(hash));
    SafetensorsWriter.write(
        folder.resolve("diffusion_pytorch_model.safetensors"),
        Map.of(hash, Floats.of(new float[] {1}, 1)));
    return folder;
  }

  private void refused(String message) {
    assertThatThrownBy(() -> Checkpoint.open(model).close())
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContainingAll(model.toString(), message);
  }
}
