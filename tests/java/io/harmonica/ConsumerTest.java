package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import io.harmonica.triton.TritonServer;
import java.awt.image.BufferedImage;
import java.io.File;
import java.io.IOException;
import java.lang.module.ModuleDescriptor;
import java.lang.module.ModuleFinder;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The artifact as other projects use it: Maven builds those in {@code tests/consumer} against jar
 * and POM of this build. Runs after {@code package}.
 */
@Tag("consumer")
class ConsumerTest {
  private static final Path TARGET = Path.of("target");

  /** All that a service on Triton is shipped with. */
  private static final long TRITON_BYTES = 30_000_000;

  /** One level of 255: the server's ONNX Runtime is another one. */
  private static final int LEVELS = 1;

  @TempDir static Path folder;

  private static Path repository;

  @BeforeAll
  static void build() throws Exception {
    Path consumers = copy(Path.of("tests/consumer"), folder.resolve("consumer"));
    Path local = folder.resolve("m2");
    install(local);
    List<String> command = new ArrayList<>();
    command.add(Path.of("mvnw").toAbsolutePath().toString());
    command.addAll(List.of("-q", "-B", "-f", consumers.resolve("pom.xml").toString()));
    Path settings = Path.of(System.getProperty("maven.settings", "")); // this build's -s, or usual
    if (Files.isRegularFile(settings)) {
      command.addAll(List.of("-s", settings.toString()));
    }
    // All but our artifact is found where this build keeps it, and nothing of ours gets there.
    command.add("-Dmaven.repo.local=" + local);
    command.add("-Dmaven.repo.local.tail=" + sharedRepository());
    command.add("-Dtorch=cpu"); // of our profile, whose natives must stay ours all the same
    command.add("compile");
    Run maven = Run.of(command);
    assertThat(maven.exit()).as(maven.output()).isZero();
    repository = ReadmeExampleTest.export(folder.resolve("repository"));
  }

  /** Puts jar and POM where {@code mvn install} would. */
  private static void install(Path local) throws Exception {
    String version = Pom.read().text("version");
    assertThat(TARGET.resolve("harmonica.jar")).as("made by ./mvnw package").isRegularFile();
    Path to = Files.createDirectories(local.resolve("io/harmonica/harmonica").resolve(version));
    String name = "harmonica-" + version;
    Files.copy(TARGET.resolve("harmonica.jar"), to.resolve(name + ".jar"));
    Files.copy(Pom.FILE, to.resolve(name + ".pom"));
  }

  /** Surefire says it; else it is Maven's default. */
  private static String sharedRepository() {
    Path usual = Path.of(System.getProperty("user.home"), ".m2", "repository");
    return System.getProperty("localRepository", usual.toString());
  }

  private static Path copy(Path from, Path to) throws IOException {
    try (Stream<Path> paths = Files.walk(from)) {
      for (Path path : paths.toList()) {
        Files.copy(path, to.resolve(from.relativize(path).toString()));
      }
    }
    return to;
  }

  private static Path lib(String consumer) {
    return folder.resolve("consumer").resolve(consumer).resolve("target/lib");
  }

  private static Run draw(String consumer, String place, String out) throws Exception {
    String classes = lib(consumer).resolveSibling("classes").toString();
    String classPath = classes + File.pathSeparator + lib(consumer).resolve("*");
    return Run.java(classPath, "DrawShapes", place, folder.resolve(out).toString());
  }

  @Test
  @Tag("triton")
  void onTriton_drawsAsInOnesOwnProcess() throws Exception {
    Run embedded = draw("embedded", repository.toString(), "embedded-out");
    assertThat(embedded.exit()).as(embedded.output()).isZero();
    try (TritonServer server = TritonServer.start(repository)) {
      Run triton = draw("triton", server.address(), "triton-out");
      assertThat(triton.exit()).as(triton.output()).isZero();
    }
    for (String name : List.of("picture0.png", "picture1.png")) {
      BufferedImage here = ImageIO.read(folder.resolve("embedded-out").resolve(name).toFile());
      BufferedImage there = ImageIO.read(folder.resolve("triton-out").resolve(name).toFile());
      assertThat(contrast(here)).as("what is drawn on %s", name).isGreaterThan(100);
      assertThat(farthest(here, there)).as(name).isLessThanOrEqualTo(LEVELS);
    }
  }

  @Test
  void onTriton_whatIsShipped_isSmall() throws Exception {
    long bytes = 0;
    List<String> names = new ArrayList<>();
    try (Stream<Path> jars = Files.list(lib("triton"))) {
      for (Path jar : jars.toList()) {
        bytes += Files.size(jar);
        names.add(jar.getFileName().toString());
      }
    }
    System.out.printf("a service on Triton ships %.1f MB, %d jars%n", bytes / 1e6, names.size());
    assertThat(bytes).isLessThan(TRITON_BYTES);
    assertThat(Files.readString(Path.of("docs/JAVA.md")))
        .contains("ships %d MB".formatted(Math.round(bytes / 1e6)));
    assertThat(names)
        .contains("harmonica-%s.jar".formatted(Pom.read().text("version")))
        .noneMatch(name -> name.matches("(onnxruntime|tokenizers|pytorch|javacpp|mkl|slf4j-s).*"));
  }

  @Test
  void onTriton_askedToRunHere_saysWhichLibraryToAdd() throws Exception {
    Run run = draw("triton", repository.toString(), "none-out");
    assertThat(run.exit()).isEqualTo(1);
    assertThat(run.output())
        .contains(
            "HarmonicaException: running models in this process needs com.microsoft.onnxruntime:onnxruntime, which is not on the class path: add it to your project's dependencies")
        .doesNotContain("NoClassDefFoundError");
  }

  @Test
  void jar_isAModule_withSourcesAndDocumentation() throws Exception {
    ModuleDescriptor module =
        ModuleFinder.of(TARGET.resolve("harmonica.jar"))
            .find("io.harmonica")
            .orElseThrow()
            .descriptor();
    assertThat(module.isAutomatic()).isTrue();
    try (FileSystem sources = FileSystems.newFileSystem(TARGET.resolve("harmonica-sources.jar"));
        FileSystem pages = FileSystems.newFileSystem(TARGET.resolve("harmonica-javadoc.jar"))) {
      for (String one : List.of("generate/Pipeline", "repository/proto/ModelConfig")) {
        assertThat(sources.getPath("io/harmonica", one + ".java")).exists();
      }
      assertThat(Files.readString(pages.getPath("io/harmonica/generate/Pipeline.html")))
          .contains("This is the Java API for");
      assertThat(pages.getPath("io/harmonica/cli")).doesNotExist();
    }
  }

  @Test
  void pom_namesWhatIsAskedOfAPublishedOne() throws Exception {
    Pom pom = Pom.read();
    assertThat(Files.readString(Path.of("LICENSE"))).contains("Apache License", "Version 2.0");
    assertThat(pom.text("licenses/license/name")).isEqualTo("Apache-2.0");
    for (String path : List.of("name", "description", "developers/developer/name")) {
      assertThat(pom.text(path)).as(path).isNotEmpty();
    }
    assertThat(pom.text("scm/connection")).startsWith("scm:git:");
  }

  /** Largest difference of two values of one colour. */
  private static int farthest(BufferedImage a, BufferedImage b) {
    int most = 0;
    for (int i = 0; i < a.getWidth() * a.getHeight(); i++) {
      int x = i % a.getWidth();
      int y = i / a.getWidth();
      for (int shift = 0; shift < 24; shift += 8) {
        int one = a.getRGB(x, y) >> shift & 255;
        most = Math.max(most, Math.abs(one - (b.getRGB(x, y) >> shift & 255)));
      }
    }
    return most;
  }

  /** The largest difference of a picture's values to its first pixel's: of a blank one, 0. */
  private static int contrast(BufferedImage picture) {
    BufferedImage blank =
        new BufferedImage(picture.getWidth(), picture.getHeight(), BufferedImage.TYPE_INT_RGB);
    for (int i = 0; i < picture.getWidth() * picture.getHeight(); i++) {
      blank.setRGB(i % picture.getWidth(), i / picture.getWidth(), picture.getRGB(0, 0));
    }
    return farthest(picture, blank);
  }
}
