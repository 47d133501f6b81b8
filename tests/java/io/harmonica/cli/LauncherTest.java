package io.harmonica.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The script {@code bin/harmonica}, as a built project has it, with this Java and others. */
class LauncherTest {
  private static final Path SCRIPT = Path.of("bin/harmonica");
  private static final Path JDKS = Path.of("/usr/lib/jvm");

  /** "café naïve" in UTF-8, typed as bytes, so that this test's own locale does not matter. */
  private static final String PROMPT = "$'caf\\xc3\\xa9 na\\xc3\\xafve'";

  @TempDir Path folder;

  private Path root;

  private record Ended(int code, String out, String err) {}

  @BeforeEach
  void buildProject() throws IOException {
    root = project("project");
  }

  /** A project whose jar leads to the classes of this test. */
  private Path project(String name) throws IOException {
    Path project = folder.resolve(name);
    Files.createDirectories(project.resolve("bin"));
    Files.createDirectories(project.resolve("src/main"));
    Files.createDirectories(project.resolve("target/lib"));
    Files.copy(SCRIPT, project.resolve("bin/harmonica"));
    assertThat(project.resolve("bin/harmonica").toFile().setExecutable(true)).isTrue();
    Files.writeString(project.resolve("pom.xml"), "");
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    manifest
        .getMainAttributes()
        .put(
            Attributes.Name.CLASS_PATH,
            Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toUri().toString())
                .collect(Collectors.joining(" ")));
    try (var out = Files.newOutputStream(project.resolve("target/harmonica.jar"))) {
      new JarOutputStream(out, manifest).close();
    }
    Path built = Files.writeString(project.resolve("target/.built"), "cpu\n");
    Files.setLastModifiedTime(built, FileTime.from(Instant.now().plusSeconds(60)));
    return project;
  }

  /** Runs a line of bash in the project, in an environment without a locale but the given one. */
  private Ended bash(Map<String, String> environment, String line) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("bash", "-c", line).directory(root.toFile());
    builder.environment().keySet().removeIf(name -> name.matches("LC_.*|LANG|LANGUAGE"));
    builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
    builder.environment().putAll(environment);
    Path out = folder.resolve("out.txt");
    Path err = folder.resolve("err.txt");
    int code = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
    return new Ended(code, Files.readString(out, UTF_8), Files.readString(err, UTF_8));
  }

  /** A Java that is of a version, and writes down how it was started. */
  private Path recordingJava(String version, boolean release) throws IOException {
    Path home = folder.resolve("jdk-" + version + (release ? "" : "-bare"));
    Files.createDirectories(home.resolve("bin"));
    Path java =
        Files.writeString(
            home.resolve("bin/java"),
            """
            #!/bin/sh
            if [ "$1" = -version ]; then echo 'openjdk version "%s" 2025-01-01' >&2; exit; fi
            printf '%%s\\n' "LC_ALL=$LC_ALL" "$@"
            """
                .formatted(version));
    assertThat(java.toFile().setExecutable(true)).isTrue();
    if (release) {
      Files.writeString(
          home.resolve("release"), "IMPLEMENTOR=\"X\"\nJAVA_VERSION=\"" + version + "\"\n");
    }
    return home;
  }

  /** Of locales that leave Java without UTF-8 all draw what UTF-8 draws. */
  @Test
  void prompt_drawsTheSame_underEveryLocale() throws Exception {
    export();
    byte[] expected = draw(Map.of("LC_ALL", "C.UTF-8"), "utf8");
    for (Map<String, String> environment :
        List.of(
            Map.<String, String>of(),
            Map.of("LC_ALL", "C"),
            Map.of("LANG", "xx_YY.UTF-8"), // no machine has it installed
            Map.of("LC_CTYPE", "UTF-8"), // macOS forwards this
            Map.of("LC_CTYPE", "C.UTF-8", "LC_MESSAGES", "xx_YY.UTF-8"))) {
      assertThat(draw(environment, "other")).as(environment.toString()).isEqualTo(expected);
    }
  }

  /** A PixArt that draws prompts, to the repository {@code models}. */
  private void export() {
    Path pipeline = folder.resolve("pixart");
    PipelineFolder.in(pipeline).withScheduler("'_class_name': 'DPMSolverMultistepScheduler'");
    List<String> words = List.of("--checkpoint", pipeline.toString(), "--text-tokens", "12");
    List<String> line = new ArrayList<>(words);
    line.addAll(List.of("--model-repository", folder.resolve("models").toString()));
    Invocation exported =
        Invocation.run(to -> HarmonicaExport.run(line.toArray(String[]::new), to.out(), to.err()));
    assertThat(exported.err()).isEmpty();
  }

  /** As in a container with {@code readOnlyRootFilesystem}, and an {@code emptyDir} at /tmp. */
  @Test
  void readOnlyRoot_withATemporaryFolder_drawsPrompts() throws Exception {
    export();
    String mounts = // everything here may lie in /tmp, so it moves before that is covered
        "mount --bind '%s' /mnt && mount -o remount,ro,bind /mnt && mount -o remount,ro,bind /"
            + " && mount -t tmpfs tmpfs /tmp && ! touch /h /mnt/h 2>/dev/null && ";
    String namespace = "unshare -m bash -c \"" + mounts.formatted(folder);
    assumeTrue(bash(Map.of(), namespace + "true\"").code() == 0, "no mounts of our own here");
    Ended drawn =
        bash(
            Map.of(),
            namespace
                + "cd /mnt/project && bin/harmonica generate --model-repository /mnt/models --model pixart"
                + " --prompt lantern --steps 1 --out /tmp/out && ls -A /tmp /tmp/out\"");
    assertThat(drawn.err()).isEmpty();
    assertThat(drawn.out()).contains(".djl.ai-", "0000-text0.png");
    assertThat(drawn.code()).isZero();
  }

  private byte[] draw(Map<String, String> environment, String name) throws Exception {
    Path latents = folder.resolve(name + ".safetensors");
    Ended drawn =
        bash(
            environment,
            "bin/harmonica generate --model-repository %s --model pixart --prompt %s --steps 1 --seed 1 --out %s --save-latents %s"
                .formatted(folder.resolve("models"), PROMPT, folder.resolve("ü" + name), latents));
    assertThat(drawn.err()).isEmpty();
    assertThat(drawn.code()).isZero();
    return Files.readAllBytes(latents);
  }

  @Test
  void wordThatIsNotUtf8_isRefused() throws Exception {
    Ended refused = bash(Map.of(), "bin/harmonica generate --prompt caf$'\\xe9'");
    assertThat(refused.err())
        .startsWith(
            "error: --prompt 'caf\uFFFD' was not read as it was typed: the locale here (LC_ALL=")
        .hasLineCount(1);
    assertThat(refused.code()).isEqualTo(1);
  }

  /** As without the launcher, or on a machine that has no locale of UTF-8 at all. */
  @Test
  void javaUnderAnotherLocale_refusesTheWord() throws Exception {
    Ended refused =
        bash(
            Map.of("LC_ALL", "C"),
            "\"$JAVA_HOME/bin/java\" -cp target/harmonica.jar io.harmonica.cli.Harmonica generate --prompt "
                + PROMPT);
    assertThat(refused.err())
        .contains("was not read as it was typed: the locale here (LC_ALL=C)", "`locale -a`")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource({"17.0.15, false", "1.8.0_402, false", "23.0.2, false", "24, true", "25.0.3, true"})
  void unsafeMemoryAccess_isAllowed_whereJavaKnowsTheOption(String version, boolean allowed)
      throws Exception {
    for (boolean release : new boolean[] {true, false}) {
      Map<String, String> home = Map.of("JAVA_HOME", recordingJava(version, release).toString());
      List<String> words = bash(home, "bin/harmonica status --model 'a b'").out().lines().toList();
      assertThat(words.contains("--sun-misc-unsafe-memory-access=allow")).isEqualTo(allowed);
      assertThat(words)
          .containsSubsequence(
              "-cp",
              root + "/target/harmonica.jar:" + root + "/target/lib/*",
              "io.harmonica.cli.Harmonica",
              "status",
              "--model",
              "a b");
    }
  }

  /** gRPC and Protocol Buffers use sun.misc.Unsafe, of which Java 24 and later warn. */
  @Test
  void newJava_warnsOfNothing() throws Exception {
    Path home = newestJava();
    assumeTrue(home != null, "no Java from 24 on in " + JDKS);
    Ended ended =
        bash(
            Map.of("JAVA_HOME", home.toString()),
            "bin/harmonica status --triton 127.0.0.1:1 --model m --attempts 1");
    assertThat(ended.err()).startsWith("error: Triton server 127.0.0.1:1").hasLineCount(1);
  }

  private static Path newestJava() throws IOException {
    if (!Files.isDirectory(JDKS)) {
      return null;
    }
    try (Stream<Path> homes = Files.list(JDKS)) {
      return homes
          .filter(home -> home.getFileName().toString().matches(".*\\b(2[4-9]|[3-9]\\d)\\b.*"))
          .filter(home -> Files.isExecutable(home.resolve("bin/java")))
          .findFirst()
          .orElse(null);
    }
  }

  @Test
  void projectWithAColonInItsPath_isTold() throws Exception {
    root = project("a:b");
    Ended ended = bash(Map.of(), "bin/harmonica --version");
    assertThat(ended.err())
        .startsWith("error: the project lies in " + root.toRealPath())
        .contains("class path", "move it")
        .hasLineCount(1);
    assertThat(ended.code()).isEqualTo(1);
  }
}
