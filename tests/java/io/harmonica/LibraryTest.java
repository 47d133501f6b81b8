package io.harmonica;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.harmonica.cli.Harmonica;
import io.harmonica.compare.Comparison;
import io.harmonica.features.FeatureNetwork;
import io.harmonica.metrics.MetricsPort;
import io.harmonica.runtime.EmbeddedRuntime;
import io.harmonica.text.Tokenizer;
import io.harmonica.torch.Device;
import io.harmonica.train.Progress;
import io.harmonica.train.Task;
import io.harmonica.train.TrainOptions;
import io.harmonica.train.Trainer;
import io.harmonica.train.TrainingFiles;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.triton.ServerOptions;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.reflect.Executable;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LibraryTest {
  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource
  void whereOneIsMissing_oneLineSaysWhichToAdd(Library library) throws Exception {
    boolean trains = library == Library.PYTORCH;
    assumeThat(!trains || System.getProperty("os.name").equals("Linux")).isTrue();
    library.require(); // it is here
    try (URLClassLoader without = without(library)) {
      assertThatThrownBy(() -> use(library, without))
          .isInstanceOf(InvocationTargetException.class)
          .cause()
          .hasToString(
              "io.harmonica.HarmonicaException: %s needs %s, which is not on the class path: add it to your project's dependencies, in the version that the POM of io.harmonica:harmonica has as optional",
              use(library), library.artifact());
    }
  }

  @Test
  void pom_hasThemAsOptional() throws Exception {
    Pom pom = Pom.read();
    assertThat(
            pom.dependencies().stream()
                .filter(one -> one.optional() && one.scope().isEmpty())
                .map(Pom.Dependency::artifact))
        .containsExactlyInAnyOrderElementsOf(
            Stream.of(Library.values()).map(Library::artifact).toList());
    assertThat(pom.dependenciesOfProfiles()).isNotEmpty().allMatch(Pom.Dependency::optional);
  }

  @Test
  void document_listsThem_inThePomsVersions() throws Exception {
    Map<String, String> versions =
        Pom.read().dependencies().stream()
            .collect(Collectors.toMap(Pom.Dependency::artifact, Pom.Dependency::version));
    assertThat(
            Files.readAllLines(Path.of("docs/JAVA.md")).stream()
                .filter(line -> line.startsWith("| `"))
                .map(line -> line.split(" \\| ")[0] + " | " + line.split(" \\| ")[1])
                .collect(toSet()))
        .isEqualTo(
            Stream.of(Library.values())
                .map(one -> "| `%s` | %s".formatted(one.artifact(), versions.get(one.artifact())))
                .collect(toSet()));
  }

  /** The class path of this process without the jar that a library's class is in. */
  private static URLClassLoader without(Library library) throws IOException {
    String file = library.witness().replace('.', '/') + ".class";
    List<URL> urls = new ArrayList<>();
    for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
      URL url = Path.of(entry).toUri().toURL();
      try (URLClassLoader one = new URLClassLoader(new URL[] {url}, null)) {
        if (one.findResource(file) == null) {
          urls.add(url);
        }
      }
    }
    return new URLClassLoader(urls.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
  }

  private static String use(Library library) {
    return switch (library) {
      case ONNX_RUNTIME -> "running models in this process";
      case TOKENIZERS -> "drawing from prompts";
      case PROMETHEUS -> "a port for Prometheus";
      case PYTORCH, XCHART -> "training";
      case HDR_HISTOGRAM, DESCRIPTIVE_STATISTICS, DISTRIBUTIONS -> "comparing";
      case EJML -> "comparing features, pruning or rounding to 4 bits";
      case COMMONS_CLI, PROGRESSBAR -> "the command line";
    };
  }

  /** Enters the packages where they need it, in another class loader. */
  private void use(Library library, ClassLoader loader) throws Exception {
    switch (library) {
      case ONNX_RUNTIME ->
          enter(loader, EmbeddedRuntime.class.getMethod("open", Path.class), folder);
      case TOKENIZERS -> {
        Files.writeString(folder.resolve("tokenizer.json"), "{}");
        enter(loader, Tokenizer.class.getMethod("open", Path.class), folder);
      }
      case PROMETHEUS -> enter(loader, MetricsPort.class.getMethod("open", String.class), "0");
      case PYTORCH -> enter(loader, Device.class.getMethod("of", String.class), "cpu");
      case XCHART ->
          enter(
              loader,
              Trainer.class.getConstructor(
                  Task.class,
                  Denoising.class,
                  TrainOptions.class,
                  TrainingFiles.class,
                  Progress.class),
              new Object[5]);
      case HDR_HISTOGRAM, DESCRIPTIVE_STATISTICS, DISTRIBUTIONS ->
          enter(
              loader,
              Comparison.class.getMethod("open", List.class, ServerOptions.class),
              List.of(),
              null);
      case EJML -> enter(loader, FeatureNetwork.class.getMethod("open", Path.class), folder);
      case COMMONS_CLI, PROGRESSBAR ->
          enter(
              loader,
              Harmonica.class.getMethod(
                  "run", String[].class, PrintStream.class, PrintStream.class),
              new String[] {"--help"},
              System.out,
              System.err);
    }
  }

  /** Calls what the other loader's class has under the same name. */
  private static void enter(ClassLoader loader, Executable here, Object... arguments)
      throws Exception {
    Class<?> there = loader.loadClass(here.getDeclaringClass().getName());
    for (Executable one :
        Stream.<Executable>concat(Stream.of(there.getConstructors()), Stream.of(there.getMethods()))
            .toList()) {
      if (one.toGenericString().equals(here.toGenericString())) {
        if (one instanceof java.lang.reflect.Method method) {
          method.invoke(null, arguments);
        } else {
          ((java.lang.reflect.Constructor<?>) one).newInstance(arguments);
        }
        return;
      }
    }
    throw new AssertionError("no " + here);
  }
}
