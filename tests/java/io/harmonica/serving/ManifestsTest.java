package io.harmonica.serving;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.Gson;
import com.google.gson.JsonElement;
import io.harmonica.cli.Harmonica;
import io.harmonica.cli.HarmonicaExport;
import io.harmonica.triton.TritonServer;
import io.kubernetes.client.openapi.models.V1Deployment;
import io.kubernetes.client.openapi.models.V1Job;
import io.kubernetes.client.openapi.models.V1PersistentVolumeClaim;
import io.kubernetes.client.openapi.models.V1Service;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;

/** The files of triton-config: what Kubernetes, Compose and Triton make of them. */
@Tag("triton")
class ManifestsTest {
  private static final Path FOLDER = Path.of("triton-config");
  private static final Pattern FLAG = Pattern.compile("--[a-z][a-z_-]+");

  /** Checks an object as Kubernetes' API describes it: no unknown field, none missing. */
  private interface Schema {
    void check(JsonElement element) throws IOException;
  }

  private static final Map<String, Schema> SCHEMAS =
      Map.of(
          "apps/v1 Deployment", V1Deployment::validateJsonElement,
          "batch/v1 Job", V1Job::validateJsonElement,
          "v1 PersistentVolumeClaim", V1PersistentVolumeClaim::validateJsonElement,
          "v1 Service", V1Service::validateJsonElement);

  static List<Path> manifests() throws IOException {
    try (Stream<Path> files = Files.list(FOLDER.resolve("kubernetes"))) {
      return files.sorted().toList();
    }
  }

  private static List<Map<String, Object>> objects(Path manifest) throws IOException {
    List<Map<String, Object>> objects = new ArrayList<>();
    for (Object one : new Yaml().loadAll(Files.readString(manifest))) {
      objects.add(map(one));
    }
    return objects;
  }

  @SuppressWarnings("unchecked")
  private static Map<String, Object> map(Object object) {
    return (Map<String, Object>) object;
  }

  /** The value at a path of keys and list positions. */
  private static Object at(Object object, Object... path) {
    for (Object key : path) {
      object = key instanceof Integer i ? ((List<?>) object).get(i) : map(object).get(key);
    }
    return object;
  }

  private static void check(Map<String, Object> object) throws IOException {
    String kind = object.get("apiVersion") + " " + object.get("kind");
    assertThat(SCHEMAS).containsKey(kind);
    SCHEMAS.get(kind).check(new Gson().toJsonTree(object));
  }

  @ParameterizedTest
  @MethodSource("manifests")
  void manifests_areObjectsOfKubernetesApi(Path manifest) throws IOException {
    List<Map<String, Object>> objects = objects(manifest);
    assertThat(objects).isNotEmpty();
    for (Map<String, Object> object : objects) {
      check(object);
      assertThat(at(object, "metadata", "name")).isNotNull();
    }
  }

  @Test
  void check_findsAMisspelledField() throws IOException {
    Map<String, Object> deployment = objects(FOLDER.resolve("kubernetes/server.yaml")).get(0);
    map(at(deployment, "spec", "template", "spec", "containers", 0))
        .put("readynessProbe", Map.of());
    assertThatThrownBy(() -> check(deployment))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("readynessProbe");
  }

  @Test
  void volumes_areMountedWhereTheyAreDeclared_andClaimsExist() throws IOException {
    Set<String> claims = new HashSet<>(Set.of("checkpoints")); // the user's own
    Set<String> claimed = new HashSet<>();
    for (Path manifest : manifests()) {
      for (Map<String, Object> object : objects(manifest)) {
        if (object.get("kind").equals("PersistentVolumeClaim")) {
          claims.add((String) at(object, "metadata", "name"));
          continue;
        }
        if (object.get("kind").equals("Service")) {
          continue;
        }
        Object pod = at(object, "spec", "template", "spec");
        Set<Object> declared = new HashSet<>();
        for (Object volume : (List<?>) at(pod, "volumes")) {
          declared.add(at(volume, "name"));
          if (at(volume, "persistentVolumeClaim") != null) {
            claimed.add((String) at(volume, "persistentVolumeClaim", "claimName"));
          }
        }
        Set<Object> mounted = new HashSet<>();
        ((List<?>) at(pod, "containers", 0, "volumeMounts"))
            .forEach(m -> mounted.add(at(m, "name")));
        assertThat(mounted).as(manifest.toString()).isEqualTo(declared);
      }
    }
    assertThat(claims).isEqualTo(claimed);
  }

  /** What our libraries unpack needs a folder that lets programs run: an emptyDir does. */
  @Test
  void containersOfOurs_haveAReadOnlyRoot_andATemporaryFolder() throws IOException {
    int found = 0;
    for (Path manifest : manifests()) {
      for (Map<String, Object> object : objects(manifest)) {
        if (!object.get("kind").equals("Job")) {
          continue;
        }
        Object pod = at(object, "spec", "template", "spec");
        Object container = at(pod, "containers", 0);
        assertThat(at(container, "securityContext", "readOnlyRootFilesystem")).isEqualTo(true);
        Object mount = mounted(container, "/tmp");
        assertThat(at(volume(pod, at(mount, "name")), "emptyDir")).isNotNull();
        found++;
      }
    }
    assertThat(found).isEqualTo(2);
  }

  private static Object mounted(Object container, String path) {
    return ((List<?>) at(container, "volumeMounts"))
        .stream().filter(m -> at(m, "mountPath").equals(path)).findFirst().orElseThrow();
  }

  private static Object volume(Object pod, Object name) {
    return ((List<?>) at(pod, "volumes"))
        .stream().filter(v -> at(v, "name").equals(name)).findFirst().orElseThrow();
  }

  @Test
  void services_pointAtTheServersPods_andPorts() throws IOException {
    List<Map<String, Object>> objects = objects(FOLDER.resolve("kubernetes/server.yaml"));
    Object pod = at(objects.get(0), "spec", "template");
    Map<Object, Object> ports =
        ((List<?>) at(pod, "spec", "containers", 0, "ports"))
            .stream().collect(Collectors.toMap(p -> at(p, "name"), p -> at(p, "containerPort")));
    assertThat(at(objects.get(0), "spec", "selector", "matchLabels"))
        .isEqualTo(at(pod, "metadata", "labels"));
    for (Map<String, Object> service : objects.subList(1, objects.size())) {
      assertThat(at(service, "spec", "selector")).isEqualTo(at(pod, "metadata", "labels"));
      for (Object port : (List<?>) at(service, "spec", "ports")) {
        assertThat(ports).containsEntry(at(port, "name"), at(port, "port"));
      }
    }
    assertThat(objects.subList(1, objects.size()))
        .extracting(service -> at(service, "spec", "clusterIP"))
        .containsExactly(null, "None");
  }

  @Test
  void jobs_useOptionsThatTheCommandsHave() throws IOException {
    Object export = at(objects(FOLDER.resolve("kubernetes/export.yaml")).get(1), "spec");
    String exported = at(export, "template", "spec", "containers", 0, "args").toString();
    assertThat(help("harmonica-export")).containsAll(flags(exported));
    Object generate = at(objects(FOLDER.resolve("kubernetes/generate.yaml")).get(0), "spec");
    String generated = at(generate, "template", "spec", "containers", 0, "args").toString();
    assertThat(generated).contains("exec bin/harmonica generate ", "$JOB_COMPLETION_INDEX");
    assertThat(help("generate")).containsAll(flags(generated));
    assertThat(at(generate, "completionMode")).isEqualTo("Indexed");
  }

  private static Set<String> flags(String text) {
    return FLAG.matcher(text)
        .results()
        .map(MatchResult::group)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> help(String command) {
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
    int code =
        command.equals("generate")
            ? Harmonica.run(new String[] {command, "--help"}, out, out)
            : HarmonicaExport.run(new String[] {"--help"}, out, out);
    assertThat(code).isZero();
    return flags(said.toString(StandardCharsets.UTF_8));
  }

  private static List<String> kubernetesFlags() throws IOException {
    Object args =
        at(
            objects(FOLDER.resolve("kubernetes/server.yaml")).get(0),
            "spec",
            "template",
            "spec",
            "containers",
            0,
            "args");
    return ((List<?>) args).stream().map(Object::toString).toList();
  }

  /** Compose's flags with the defaults of its variables. */
  private static List<String> composeFlags() throws IOException {
    Object compose = new Yaml().load(Files.readString(FOLDER.resolve("compose.yaml")));
    return ((List<?>) at(compose, "x-triton", "command"))
        .stream()
            .skip(1)
            .map(flag -> flag.toString().replaceAll("\\$\\{[A-Z_]+:-([^}]*)}", "$1"))
            .toList();
  }

  @Test
  void flags_areTheSameEverywhere_andEachHasItsReason() throws IOException {
    assertThat(composeFlags()).containsExactlyInAnyOrderElementsOf(kubernetesFlags());
    String readme = Files.readString(FOLDER.resolve("README.md"));
    for (String flag : kubernetesFlags()) {
      assertThat(readme).contains(flag.replaceFirst("=.*", ""));
    }
  }

  @Test
  void prometheus_asksTheNamesAndPortsThatComposeHas() throws IOException {
    Object compose = new Yaml().load(Files.readString(FOLDER.resolve("compose.yaml")));
    Object prometheus = new Yaml().load(Files.readString(FOLDER.resolve("prometheus.yaml")));
    List<Object> targets = new ArrayList<>();
    for (Object job : (List<?>) at(prometheus, "scrape_configs")) {
      targets.addAll((List<?>) at(job, "static_configs", 0, "targets"));
    }
    String alias = at(compose, "x-triton", "networks", "default", "aliases", 0).toString();
    String host =
        at(compose, "services", "prometheus", "extra_hosts", 0).toString().replaceFirst(":.*", "");
    assertThat(targets).containsExactly(alias + ":8002", host + ":9400");
    assertThat(at(compose, "services", "prometheus", "volumes", 0).toString())
        .startsWith("./prometheus.yaml:");
  }

  @Test
  void server_takesTheFlags(@TempDir Path repository) throws Exception {
    String[] own = // serve.sh has the others
        kubernetesFlags().stream()
            .filter(flag -> !flag.matches("--(model|load)-.*"))
            .toArray(String[]::new);
    assertThat(own).hasSize(5);
    try (TritonServer server = TritonServer.start(repository, own)) {
      assertThat(server.http("/v2")).contains("system_shared_memory");
    }
  }
}
