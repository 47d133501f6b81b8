package io.harmonica;

import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The package table, held to the compiled classes. A package that needs another one is a decision:
 * write it here and into the README's table, or better, find out why it does.
 */
class ArchitectureTest {
  private static final String ROOT = "io.harmonica";

  /** Every package with all it uses of the project; each uses only those above it. */
  static final Map<String, Set<String>> MAY_USE = new LinkedHashMap<>();

  /** Foreign libraries, by prefix of their classes, with all the packages that use them. */
  private static final Map<String, Set<String>> LIBRARIES = new TreeMap<>();

  static {
    MAY_USE.put(ROOT, Set.of());
    MAY_USE.put("checkpoint", Set.of(ROOT));
    MAY_USE.put("sampler", Set.of(ROOT));
    MAY_USE.put("model", Set.of(ROOT, "sampler"));
    MAY_USE.put("calibration", Set.of(ROOT, "checkpoint", "model"));
    MAY_USE.put("text", Set.of(ROOT));
    MAY_USE.put("origin", Set.of(ROOT, "checkpoint", "model", "sampler", "text"));
    MAY_USE.put("onnx", Set.of(ROOT, "checkpoint", "model"));
    MAY_USE.put("torch", Set.of(ROOT, "model"));
    MAY_USE.put("router", Set.of(ROOT, "checkpoint", "model"));
    MAY_USE.put("picture", Set.of(ROOT, "router"));
    MAY_USE.put("repository", Set.of(ROOT, "model", "router", "sampler"));
    MAY_USE.put("whole", Set.of(ROOT, "model", "onnx", "repository", "router", "sampler"));
    MAY_USE.put(
        "export",
        Set.of(
            ROOT,
            "calibration",
            "model",
            "onnx",
            "origin",
            "repository",
            "router",
            "sampler",
            "whole"));
    MAY_USE.put("runtime", Set.of(ROOT, "repository"));
    MAY_USE.put("triton", Set.of(ROOT, "repository", "runtime"));
    MAY_USE.put(
        "deploy", Set.of(ROOT, "onnx", "repository", "router", "runtime", "triton", "whole"));
    MAY_USE.put("metrics", Set.of(ROOT, "runtime"));
    MAY_USE.put("features", Set.of(ROOT, "picture", "runtime"));
    MAY_USE.put(
        "generate",
        Set.of(
            ROOT,
            "checkpoint",
            "metrics",
            "model",
            "picture",
            "repository",
            "router",
            "runtime",
            "sampler",
            "text",
            "triton",
            "whole"));
    MAY_USE.put("train.trajectory", Set.of(ROOT, "model", "sampler", "torch"));
    MAY_USE.put("train.search", Set.of(ROOT, "model", "torch", "train.trajectory"));
    MAY_USE.put(
        "train",
        Set.of(
            ROOT,
            "calibration",
            "generate",
            "model",
            "origin",
            "picture",
            "router",
            "sampler",
            "text",
            "torch",
            "train.search",
            "train.trajectory"));
    MAY_USE.put(
        "compare",
        Set.of(
            ROOT,
            "features",
            "generate",
            "model",
            "picture",
            "repository",
            "router",
            "runtime",
            "sampler",
            "triton"));
    Set<String> butSearch = new TreeSet<>(MAY_USE.keySet());
    butSearch.remove("train.search");
    butSearch.remove("whole");
    MAY_USE.put("cli", Set.copyOf(butSearch));

    LIBRARIES.put("ai.djl.", Set.of("text"));
    LIBRARIES.put("ai.onnx.proto.", Set.of("onnx", "export"));
    LIBRARIES.put("ai.onnxruntime.", Set.of("runtime"));
    LIBRARIES.put("com.google.protobuf.", Set.of("onnx", "repository", "triton", "text"));
    LIBRARIES.put("io.grpc.", Set.of("triton"));
    LIBRARIES.put("io.micrometer.", Set.of("metrics"));
    LIBRARIES.put("java.awt.", Set.of("picture", "train", "compare", "features", "cli"));
    LIBRARIES.put("me.tongfei.progressbar.", Set.of("cli"));
    LIBRARIES.put("net.razorvine.pickle.", Set.of("checkpoint"));
    LIBRARIES.put("org.apache.commons.cli.", Set.of("cli"));
    LIBRARIES.put("org.HdrHistogram.", Set.of("compare"));
    LIBRARIES.put("org.apache.commons.statistics.", Set.of("compare"));
    LIBRARIES.put("org.ejml.", Set.of("calibration", "features"));
    LIBRARIES.put("org.bytedeco.", Set.of("torch"));
    LIBRARIES.put("org.slf4j.", Set.of("generate", "triton"));
    LIBRARIES.put("org.knowm.xchart.", Set.of("train"));
  }

  private static final JavaClasses CLASSES =
      new ClassFileImporter().importPath(Path.of("target/classes"));

  @Test
  void packages_useWhatTheTableSays() {
    Map<String, Set<String>> used = new TreeMap<>();
    for (JavaClass one : CLASSES) {
      String own = packageOf(one.getPackageName());
      Set<String> uses = used.computeIfAbsent(own, p -> new TreeSet<>());
      dependencies(one)
          .map(JavaClass::getPackageName)
          .filter(name -> name.equals(ROOT) || name.startsWith(ROOT + "."))
          .map(ArchitectureTest::packageOf)
          .filter(other -> !other.equals(own))
          .forEach(uses::add);
    }
    assertThat(used).isEqualTo(MAY_USE);
  }

  @Test
  void packages_useOnlyThoseAbove() {
    List<String> order = List.copyOf(MAY_USE.keySet());
    MAY_USE.forEach(
        (own, uses) -> assertThat(order.subList(0, order.indexOf(own))).as(own).containsAll(uses));
  }

  @Test
  void libraries_areUsedWhereTheyBelong() {
    Map<String, Set<String>> users = new TreeMap<>();
    LIBRARIES.keySet().forEach(library -> users.put(library, new TreeSet<>()));
    CLASSES.stream()
        .filter(Predicate.not(ArchitectureTest::isGenerated))
        .forEach(
            one ->
                dependencies(one)
                    .map(JavaClass::getFullName)
                    .flatMap(name -> users.keySet().stream().filter(name::startsWith))
                    .forEach(library -> users.get(library).add(packageOf(one.getPackageName()))));
    assertThat(users).isEqualTo(LIBRARIES);
  }

  private static Stream<JavaClass> dependencies(JavaClass one) {
    return one.getDirectDependenciesFromSelf().stream()
        .map(Dependency::getTargetClass)
        .map(JavaClass::getBaseComponentType);
  }

  /** What protoc wrote belongs to the package whose messages it holds. */
  private static boolean isGenerated(JavaClass one) {
    return one.getPackageName().endsWith(".proto");
  }

  /**
   * {@code train.search} for {@code io.harmonica.train.search}, {@code triton} for {@code
   * io.harmonica.triton.proto}, which protoc wrote; the root keeps its whole name.
   */
  private static String packageOf(String name) {
    return name.equals(ROOT) ? ROOT : name.substring(ROOT.length() + 1).replaceAll("\\.proto$", "");
  }
}
