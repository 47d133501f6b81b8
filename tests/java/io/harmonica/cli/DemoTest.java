package io.harmonica.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.Timesteps;
import io.harmonica.compare.Report;
import io.harmonica.compare.WarmUp;
import io.harmonica.repository.Manifest;
import io.harmonica.router.Router;
import io.harmonica.router.Uncached;
import io.harmonica.runtime.Device;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** On the shipped examples themselves, one round of each. */
class DemoTest {
  @TempDir Path folder;

  @Test
  void run_comparesEveryShippedRouter() throws IOException {
    Path out = folder.resolve("out");
    ByteArrayOutputStream progress = new ByteArrayOutputStream();
    Demo demo = demo(Example.SHAPES, progress);
    assertThat(demo.exportIsStale(List.of())).isTrue();
    Report report = demo.report();
    demo.write(report, out);

    List<String> names = report.variants().stream().map(Report.Entry::name).toList();
    assertThat(names)
        .contains("fora-2", "fora-3", "taylor-2", "taylor-3")
        .contains("trained-10-1.5x", "trained-10-2.0x", "trained-20-1.5x", "trained-20-2.0x")
        .startsWith("uncached")
        .endsWith("uncached-10");
    assertThat(psnr(report, "uncached")).isInfinite();
    assertThat(report.variants().subList(1, names.size()))
        .allSatisfy(entry -> assertThat(psnr(report, entry.name())).isBetween(15.0, 60.0));
    assertThat(psnr(report, "fora-2")).isGreaterThan(psnr(report, "fora-3"));
    assertThat(psnr(report, "taylor-2")).isGreaterThan(psnr(report, "fora-2"));
    assertThat(psnr(report, "trained-20-2.0x")).isGreaterThan(psnr(report, "taylor-2"));
    assertThat(psnr(report, "trained-20-1.5x")).isGreaterThan(psnr(report, "trained-20-2.0x"));

    for (String name : names) {
      assertThat(out.resolve(name + ".png")).isNotEmptyFile();
      assertThat(report.page()).contains("Pictures of " + name);
    }
    assertThat(new ObjectMapper().readTree(out.resolve("demo.json").toFile()).path("variants"))
        .hasSameSizeAs(names);
    assertThat(progress.toString(StandardCharsets.UTF_8)).contains("exporting", "8 pictures");
    assertThat(demo.exportIsStale(List.of())).isFalse();
    Router tomorrows =
        new Uncached()
            .router("of-tomorrow", "m", "ddim", Timesteps.of(List.of(0)), List.of("block00.mlp"));
    assertThat(demo.exportIsStale(List.of(tomorrows))).isTrue();
    Path config = demo.repository().resolve("shapes-dit/config.pbtxt");
    String written = Files.readString(config);
    Files.writeString(config, written.replace(Manifest.FORMAT, "harmonica-model/0"));
    assertThat(demo.exportIsStale(List.of())).isTrue(); // another version wrote it
    Files.writeString(config, written);
    assertThat(demo.exportIsStale(List.of())).isFalse();
    Files.setLastModifiedTime(config, FileTime.fromMillis(0));
    assertThat(demo.exportIsStale(List.of())).isTrue(); // the example is newer than its export
  }

  @Test
  void run_drawsTexts_onOnePageWithAnotherExample() {
    ByteArrayOutputStream progress = new ByteArrayOutputStream();
    List<String> texts = List.of("two green squares above a red circle", "a blue star");
    Demo demo = demo(Example.SCENES.drawing(texts), progress);
    Report report = demo.report();
    List<String> names = report.variants().stream().map(Report.Entry::name).toList();
    assertThat(names).contains("fora-2", "taylor-2").startsWith("uncached").endsWith("uncached-10");
    assertThat(psnr(report, "uncached")).isInfinite();
    assertThat(psnr(report, "taylor-2")).isGreaterThan(psnr(report, "fora-2"));
    demo.write(report, folder.resolve("scenes"));
    assertThat(folder.resolve("scenes/taylor-2.png")).isNotEmptyFile();
    assertThat(Report.page(List.of(report, report)))
        .contains("“two green squares above a red circle”, “a blue star”")
        .contains("#report-1 .reference", "#report-2 .reference")
        .containsOnlyOnce("<main>");
  }

  @Test
  void run_refusesWordsThatTheExampleNeverSaw() {
    Demo demo =
        demo(Example.SCENES.drawing(List.of("a red dog on mars")), new ByteArrayOutputStream());
    assertThatThrownBy(demo::report)
        .isInstanceOf(UsageException.class)
        .hasMessageContaining("'dog', 'mars'");
  }

  @Test
  void run_refusesMoreTextsThanPictures() {
    List<String> texts = Collections.nCopies(9, "a blue star");
    Demo demo = demo(Example.SCENES.drawing(texts), new ByteArrayOutputStream());
    assertThatThrownBy(demo::report)
        .isInstanceOf(UsageException.class)
        .hasMessageStartingWith("--prompt: 9 texts")
        .hasMessageEndingWith("give --rounds 2");
  }

  private Demo demo(Example example, ByteArrayOutputStream progress) {
    return new Demo(
        example,
        Path.of("export").resolve(example.name()),
        folder.resolve("repository"),
        new Demo.Run(1, WarmUp.fixed(0), 3, "bin/harmonica demo"),
        Device.CPU,
        new PrintStream(progress, true, StandardCharsets.UTF_8));
  }

  private static double psnr(Report report, String name) {
    return report.variants().stream()
        .filter(entry -> entry.name().equals(name))
        .findFirst()
        .flatMap(Report.Entry::quality)
        .orElseThrow()
        .meanPsnrDecibels();
  }
}
