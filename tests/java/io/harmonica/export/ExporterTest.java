package io.harmonica.export;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Checkpoints;
import io.harmonica.Eventually;
import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import io.harmonica.Trees;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.cli.HarmonicaExport;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.Model;
import io.harmonica.repository.ConfigFile;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Role;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Fora;
import io.harmonica.router.Policy;
import io.harmonica.router.Router;
import io.harmonica.router.Taylor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ExporterTest {
  private static final ExportOptions OPTIONS = ExportOptions.of("dit");
  private static final List<Integer> TIMESTEPS = List.of(800, 600, 400, 200, 0);

  @TempDir Path folder;
  private int repositories;
  private Checkpoint checkpoint;
  private Model model;

  @BeforeAll
  void open() {
    checkpoint = Checkpoint.open(Checkpoints.DIT);
    model = Model.of(checkpoint, OptionalInt.empty());
  }

  @AfterAll
  void close() {
    checkpoint.close();
  }

  private Router router(String name, Policy policy) {
    return policy.router(
        name,
        model.denoiser().architecture(),
        "ddim",
        Timesteps.of(TIMESTEPS),
        model.denoiser().branchNames());
  }

  private Exporter exporter(ExportOptions options, Router... routers) {
    return new Exporter(model, List.of(routers), options);
  }

  private Path fresh() {
    return folder.resolve("repository" + repositories++);
  }

  private static List<String> names(Path repository) {
    return Trees.of(repository).keySet().stream()
        .filter(path -> !path.isEmpty() && !path.contains("/"))
        .toList();
  }

  // ---- what is written ----

  @Test
  void export_withoutRouters_writesComputedVariantsOnly() {
    Path repository = fresh();
    exporter(OPTIONS).export(repository);
    assertThat(names(repository))
        .containsExactly(
            "dit",
            "dit-block00-cc",
            "dit-block01-cc",
            "dit-block02-cc",
            "dit-condition",
            "dit-conditioned",
            "dit-embed",
            "dit-head");
    assertThat(Trees.of(repository).keySet())
        .contains("dit/1", "dit-head/1/model.onnx", "dit-condition/1/model.onnx.data");
  }

  @Test
  void export_withRouters_writesTheVariantsTheyNeed() {
    Path repository = fresh();
    exporter(OPTIONS, router("fora", new Fora(2))).export(repository);
    assertThat(names(repository))
        .filteredOn(name -> name.contains("block"))
        .containsExactly(
            "dit-block00-11",
            "dit-block00-cc",
            "dit-block01-11",
            "dit-block01-cc",
            "dit-block02-11",
            "dit-block02-cc");
    assertThat(names(repository)) // every second step, the last one needs nothing stored
        .filteredOn(name -> name.contains("route"))
        .containsExactly(
            "dit-fora-route00",
            "dit-fora-route00-conditioned",
            "dit-fora-route01",
            "dit-fora-route01-conditioned",
            "dit-fora-route02",
            "dit-fora-route02-conditioned");
    assertThat(steps(repository, "dit-fora-route01-conditioned"))
        .containsExactly(
            "dit-embed", "dit-block00-11", "dit-block01-11", "dit-block02-11", "dit-head");

    Path taylor = fresh();
    exporter(OPTIONS, router("taylor", new Taylor(2, 1))).export(taylor);
    assertThat(names(taylor))
        .filteredOn(name -> name.contains("block01"))
        .containsExactly("dit-block01-11", "dit-block01-22", "dit-block01-cc");
  }

  @Test
  void export_severalBlocksAnEngine_chainsFewerEngines() {
    Router fora = router("fora", new Fora(2));
    Path pairs = fresh();
    exporter(OPTIONS.withBlocksPerEngine(2), fora).export(pairs);
    assertThat(names(pairs))
        .filteredOn(name -> name.contains("block"))
        .containsExactly(
            "dit-block00-01-1111", "dit-block00-01-cccc", "dit-block02-11", "dit-block02-cc");
    assertThat(steps(pairs, "dit-fora-route01"))
        .containsExactly(
            "dit-condition", "dit-embed", "dit-block00-01-1111", "dit-block02-11", "dit-head");

    Path whole = fresh();
    exporter(OPTIONS.withBlocksPerEngine(0), fora).export(whole);
    assertThat(names(whole))
        .containsExactly(
            "dit",
            "dit-fora-route00",
            "dit-fora-route01",
            "dit-fora-route02",
            "dit-step-111111",
            "dit-step-cccccc");
    assertThat(steps(whole, "dit")).containsExactly("dit-step-cccccc");
  }

  private static List<String> steps(Path repository, String ensemble) {
    return ConfigFile.read(repository.resolve(ensemble))
        .getEnsembleScheduling()
        .getStepList()
        .stream()
        .map(step -> step.getModelName())
        .toList();
  }

  /** In block 1 some step computes the attention and reuses the MLP's output. */
  private Router partly() {
    boolean[][] computes = new boolean[5][6];
    java.util.Arrays.fill(computes[0], true);
    java.util.Arrays.fill(computes[1], true);
    computes[1][3] = false; // block 1: c1
    return Exports.router("partly", model, TIMESTEPS, computes, io.harmonica.router.Reuse.LAST);
  }

  @Test
  void variants_haveTheWeightsTheyReadEach_andNoMore() throws IOException {
    Path repository = fresh();
    exporter(OPTIONS, partly()).export(repository);
    long whole = Files.size(repository.resolve("dit-block01-cc/1/model.onnx.data"));
    long attention = Files.size(repository.resolve("dit-block01-c1/1/model.onnx.data"));
    assertThat(attention).isBetween(1L, whole / 2); // 4 of 12 squares of the width
    assertThat(repository.resolve("dit-block01-11/1/model.onnx")).exists();
    assertThat(repository.resolve("dit-block01-11/1/model.onnx.data")).doesNotExist();
    for (String path : Trees.of(repository).keySet()) {
      Path file = repository.resolve(path);
      if (Files.isRegularFile(file)) {
        assertThat(Files.getAttribute(file, "unix:nlink")).as(path).isEqualTo(1);
        assertThat(file).isNotEmptyFile();
      }
    }
  }

  @Test
  void variants_shareOneDataFile_withHardLinks() throws IOException {
    Path repository = fresh();
    exporter(OPTIONS.withHardLinks(true), partly()).export(repository);
    Object computed = inode(repository.resolve("dit-block01-cc/1/model.onnx.data"));
    assertThat(inode(repository.resolve("dit-block01-c1/1/model.onnx.data"))).isEqualTo(computed);
    assertThat(inode(repository.resolve("dit-block00-cc/1/model.onnx.data")))
        .isNotEqualTo(computed);
    assertThat(repository.resolve("dit-block01-11/1/model.onnx")).exists();
    assertThat(repository.resolve("dit-block01-11/1/model.onnx.data")).doesNotExist();
  }

  private static Object inode(Path file) throws IOException {
    return Files.getAttribute(file, "unix:ino");
  }

  @ParameterizedTest
  @CsvSource({"1, false", "2, false", "0, false", "1, true", "0, true"})
  void dryRun_givesTheSizesExactly_andWritesNothing(int blocksPerEngine, boolean hardLinks)
      throws IOException {
    Router fora = router("fora", new Fora(2));
    fora.training().put("note", "nach Δ-DiT"); // two bytes a letter
    Exporter exporter =
        exporter(
            OPTIONS.withBlocksPerEngine(blocksPerEngine).withHardLinks(hardLinks),
            fora,
            partly(),
            router("t", new Taylor(2, 2)));
    Path repository = fresh();
    List<Exporter.Entry> planned = exporter.dryRun();
    assertThat(Trees.of(folder).keySet())
        .noneMatch(path -> path.contains("" + repository.getFileName()));
    assertThat(exporter.export(repository)).isEqualTo(planned);
    assertThat(planned)
        .extracting(Exporter.Entry::name)
        .containsExactlyInAnyOrderElementsOf(names(repository));
    Set<Object> counted = new HashSet<>();
    for (Exporter.Entry entry : planned) {
      long size = 0;
      for (String path : Trees.of(repository.resolve(entry.name())).keySet()) {
        Path file = repository.resolve(entry.name()).resolve(path);
        size += Files.isRegularFile(file) && counted.add(inode(file)) ? Files.size(file) : 0;
      }
      assertThat(entry.sizeBytes()).as(entry.name()).isEqualTo(size);
    }
  }

  @Test
  void export_states_precisionAndBatch() {
    ExportOptions options =
        new ExportOptions("small", Precision.FP16, ExportOptions.Platform.ONNXRUNTIME, 1, 6, false);
    Path repository = fresh();
    exporter(options, router("fora", new Fora(2))).export(repository);
    for (String name : names(repository)) {
      ModelConfig config = ConfigFile.read(repository.resolve(name));
      if (name.equals("small-condition")) { // for many steps at once
        assertThat(config.getMaxBatchSize()).isGreaterThan(100);
      } else {
        assertThat(config.getMaxBatchSize()).as(name).isEqualTo(6);
      }
    }
    Manifest manifest = Manifest.of(ConfigFile.read(repository.resolve("small")));
    assertThat(manifest.model()).isEqualTo("small");
    assertThat(manifest.maxBatch()).isEqualTo(6);
    assertThat(manifest.precision()).isEqualTo("fp16");
    assertThat(manifest.branchBytes()).containsOnly(2 * 16 * 32L);
    assertThat(manifest.flops()).isEqualTo(model.flops());
    assertThat(manifest.routers()).containsOnlyKeys("fora");
  }

  @Test
  void export_inAnotherProcessAndLocale_isByteIdentical() throws Exception {
    Router taylor = router("taylor", new Taylor(2, 2));
    Path file = folder.resolve("taylor.json");
    taylor.write(file);
    Path here = fresh();
    Locale before = Locale.getDefault();
    try (Checkpoint source = Checkpoint.open(Checkpoints.DIT)) {
      Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab")); // other digits
      exporter(OPTIONS, Router.read(file)).withDigest(Digest.of(source)).export(here);
    } finally {
      Locale.setDefault(before);
    }
    Path there = fresh();
    List<String> command =
        command("--checkpoint", Checkpoints.DIT, "--router", file, "--model-repository", there);
    Process process = new ProcessBuilder(command).inheritIO().start();
    assertThat(process.waitFor()).isZero();
    assertThat(Trees.of(there)).isEqualTo(Trees.of(here));
  }

  private static List<String> command(Object... arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Duser.language=de", "-XX:+UseSerialGC", "-cp"));
    command.add(System.getProperty("java.class.path"));
    command.add(HarmonicaExport.class.getName());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    return command;
  }

  @Test
  void export_terminatedMidway_leavesNothing() throws Exception {
    Path parent = Files.createDirectory(fresh());
    Path target = parent.resolve("models");
    Process process =
        new ProcessBuilder(
                command("--checkpoint", Checkpoints.SHAPES, "--model-repository", target))
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    Eventually.until(
        "something written", () -> !process.isAlive() || parent.toFile().list().length > 0);
    process.destroy(); // a SIGTERM, as Ctrl-C is one
    process.waitFor();
    assertThat(names(parent)).isSubsetOf("models");
    if (Files.exists(target)) { // it was quicker: then the export is whole
      assertThat(names(target)).hasSize(14);
    }
  }

  // ---- what was there before ----

  @Test
  void export_besideModelsOfOthers_needsNoForce_andLeavesThemAsTheyAre() throws IOException {
    Path repository = fresh();
    foreignModel(repository, "resnet", "name: \"resnet\"\n");
    foreignModel(repository, "dit-xl", "name: \"dit-xl\"\n"); // its name begins as ours
    exporter(ExportOptions.of("other")).export(repository);
    var others = Trees.of(repository);
    exporter(OPTIONS).export(repository);
    Path alone = fresh();
    exporter(OPTIONS).export(alone);
    var expected = Trees.of(alone);
    expected.putAll(others);
    assertThat(Trees.of(repository)).isEqualTo(expected);
  }

  @Test
  void export_overThisModel_isRefusedWithoutForce_andTouchesNothing() throws IOException {
    Path repository = fresh();
    exporter(OPTIONS).export(repository);
    var before = Trees.of(folder);
    Exporter again = exporter(OPTIONS, router("fora", new Fora(2)));
    for (Runnable attempt :
        List.<Runnable>of(() -> again.export(repository), () -> again.dryRun(repository))) {
      assertThatThrownBy(attempt::run)
          .isInstanceOf(HarmonicaException.class)
          .hasMessage(
              "`modelRepository` %s has model dit already: add `force` to replace it, or choose another `modelName`"
                  .formatted(repository));
    }
    assertThat(Trees.of(folder)).isEqualTo(before);
  }

  /** Both have an ensemble {@code a-b-c-route00}. */
  @ParameterizedTest
  @CsvSource({"false", "true"})
  void modelsWhoseNamesCollide_areRefused_andTouchNothing(boolean force) throws IOException {
    Path repository = fresh();
    exporter(ExportOptions.of("a"), router("b-c", new Fora(2))).export(repository);
    var before = Trees.of(folder);
    Exporter second = exporter(ExportOptions.of("a-b").withForce(force), router("c", new Fora(2)));
    assertThatThrownBy(() -> second.export(repository))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "%s is there already and part of model a; move it away, or choose another `modelName` or router name"
                .formatted(repository.resolve("a-b-c-route00")));
    assertThat(Trees.of(folder)).isEqualTo(before);

    exporter(ExportOptions.of("a-b"), router("d", new Fora(2))).export(repository); // both there
    var both = Trees.of(repository);
    exporter(ExportOptions.of("a").withForce(true), router("b-c", new Fora(2))).export(repository);
    assertThat(Trees.of(repository)).isEqualTo(both); // of a-b nothing went
  }

  @Test
  void export_besideAReadme_isAsIntoAnEmptyFolder() throws IOException {
    Path repository = Files.createDirectory(fresh());
    Files.writeString(repository.resolve("README.md"), "mine");
    exporter(OPTIONS).export(repository);
    assertThat(repository.resolve("README.md")).hasContent("mine");
    assertThat(repository.resolve("dit/config.pbtxt")).exists();
  }

  @Test
  void force_replacesThisModel_andLeavesOthersAsTheyAre() throws IOException {
    Path repository = fresh();
    exporter(OPTIONS, router("fora", new Fora(2))).export(repository);
    exporter(ExportOptions.of("other").withForce(true)).export(repository);
    foreignModel(repository, "resnet", "name: \"resnet\"\nplatform: \"x\"\nnew_field { a: 1 }");
    foreignModel(repository, "broken", "name: unquoted {");
    var others = Trees.of(repository);
    others.keySet().removeIf(path -> path.isEmpty() || path.matches("dit(-.*|/.*|)"));
    ExportOptions force = OPTIONS.withForce(true);

    exporter(force, router("taylor", new Taylor(2, 1))).export(repository);
    Path alone = fresh();
    exporter(OPTIONS, router("taylor", new Taylor(2, 1))).export(alone);

    var expected = Trees.of(alone); // of the first export nothing is left, such as fora's routes
    expected.putAll(others);
    assertThat(Trees.of(repository)).isEqualTo(expected);
  }

  @Test
  void force_overAForeignModelOfOneName_isRefused_andTouchesNothing() throws IOException {
    Path repository = fresh();
    exporter(OPTIONS).export(repository);
    foreignModel(repository, "dit-fora-route01", "name: \"dit-fora-route01\"");
    var before = Trees.of(folder);
    ExportOptions force = OPTIONS.withForce(true);
    assertThatThrownBy(() -> exporter(force, router("fora", new Fora(2))).export(repository))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "%s is there already and no part of this model; move it away, or choose another `modelName` or router name"
                .formatted(repository.resolve("dit-fora-route01")));
    assertThat(Trees.of(folder)).isEqualTo(before);
  }

  private static Path foreignModel(Path repository, String name, String config) throws IOException {
    Path version = Files.createDirectories(repository.resolve(name).resolve("7"));
    Files.write(version.resolve("model.plan"), new byte[] {1, 2, 3});
    return Files.writeString(version.resolveSibling("config.pbtxt"), config);
  }

  // ---- several exports, and killed ones ----

  /** Each is whole, or says that the other was first. */
  @ParameterizedTest
  @CsvSource({"a, b, false", "dit, dit, false", "dit, dit, true"})
  void exportsAtOnce_leaveWholeModels(String first, String second, boolean force) throws Exception {
    Path parent = Files.createDirectory(fresh());
    Path repository = parent.resolve("models");
    List<String> faults = java.util.Collections.synchronizedList(new ArrayList<>());
    List<Thread> threads = new ArrayList<>();
    for (String name : List.of(first, second)) {
      Exporter exporter = exporter(ExportOptions.of(name).withForce(force));
      threads.add(
          new Thread(
              () -> {
                try {
                  exporter.export(repository);
                } catch (HarmonicaException e) {
                  faults.add(e.getMessage());
                }
              }));
    }
    threads.forEach(Thread::start);
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(names(parent)).containsExactly("models");
    assertThat(names(repository)).hasSize(first.equals(second) ? 8 : 16);
    assertThat(faults).hasSize(first.equals(second) && !force ? 1 : 0);
    assertThat(faults).allMatch(fault -> fault.contains("has model dit already"));
  }

  @Test
  void export_killed_isSweptByTheNext_butNotOneThatRuns() throws Exception {
    Path parent = Files.createDirectory(fresh());
    Path target = parent.resolve("models");
    List<String> line = command("--checkpoint", Checkpoints.SHAPES, "--model-repository", target);
    Process killed = new ProcessBuilder(line).redirectErrorStream(true).start();
    while (killed.isAlive() && !holdsModels(parent)) {
      Thread.sleep(1);
    }
    String left = names(parent).get(0);
    exporter(OPTIONS).export(target);
    if (killed.isAlive()) {
      assertThat(parent.resolve(left)).exists(); // it runs
    }
    killed.destroyForcibly().waitFor();
    Path foreign =
        Files.createDirectory(parent.resolve(".models.partial-mine")); // nobody knows whose
    exporter(ExportOptions.of("next")).export(target);
    assertThat(names(parent)).containsExactly(foreign.getFileName().toString(), "models");
  }

  private static boolean holdsModels(Path parent) throws IOException {
    try (var files = Files.walk(parent)) {
      return files.anyMatch(file -> file.endsWith(".life"));
    } catch (java.io.UncheckedIOException e) {
      return false; // something went while it was listed
    }
  }

  /** Killed while models moved: the old ones stay until others are in their place. */
  @Test
  void export_killedWhileModelsMoved_keepsTheOldOnes_untilTheModelIsThereAgain()
      throws IOException {
    Path parent = Files.createDirectory(fresh());
    Path target = parent.resolve("models");
    exporter(OPTIONS).export(target);
    Path left = Files.createDirectory(parent.resolve(".models.partial-1"));
    Files.createFile(left.resolve(".life"));
    Path replaced = Files.createDirectory(left.resolve(".replaced"));
    Files.move(target.resolve("dit"), replaced.resolve("dit"));
    exporter(ExportOptions.of("other")).export(target);
    assertThat(replaced.resolve("dit/config.pbtxt")).exists();
    exporter(OPTIONS.withForce(true)).export(target);
    assertThat(target.resolve("dit/config.pbtxt")).exists();
    assertThat(left).doesNotExist();
  }

  // ---- what fails ----

  @Test
  void export_onAFile_isRefused() throws IOException {
    Path file = Files.writeString(fresh(), "precious");
    assertThatThrownBy(() -> exporter(OPTIONS.withForce(true)).export(file))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`modelRepository` %s is a file, expected a folder or a new name".formatted(file));
    assertThat(file).hasContent("precious");
  }

  @Test
  void export_belowAFile_fails() throws IOException {
    Path file = Files.writeString(fresh(), "precious");
    Path target = file.resolve("models");
    assertThatThrownBy(() -> exporter(OPTIONS).export(target))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("cannot write the repository %s: ".formatted(target))
        .hasMessageContaining("Not a directory")
        .hasMessageEndingWith("; nothing was changed");
  }

  @Test
  void export_intoFoldersThatAreMissing_createsThem() {
    Path target = fresh().resolve("a").resolve("b");
    exporter(OPTIONS).export(target);
    assertThat(target.resolve("dit")).isDirectory();
  }

  @Test
  void export_ontoAReadOnlyDisk_fails() throws Exception {
    try (Tmpfs disk = Tmpfs.mount(fresh(), "ro,size=1m")) {
      assertFails(disk.folder().resolve("models"), "Read-only file system");
    }
  }

  @Test
  void export_ontoATooSmallDisk_saysSoBeforeItWrites() throws Exception {
    try (Tmpfs disk = Tmpfs.mount(fresh(), "size=64k")) {
      assertFails(
          disk.folder().resolve("models"), "it takes \\d+ bytes and its disk has 65536 left");
    }
  }

  @Test
  void export_whoseDiskFillsUp_leavesNothing() throws Exception {
    try (Tmpfs disk = Tmpfs.mount(fresh(), "size=8m,nr_inodes=12")) { // room, but not for 23 files
      assertFails(disk.folder().resolve("new/models"), "No space left on device");
    }
  }

  private void assertFails(Path target, String reason) {
    var before = Trees.of(existing(target));
    assertThatThrownBy(() -> exporter(OPTIONS).export(target))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("cannot write the repository %s: ".formatted(target))
        .message()
        .containsPattern(reason)
        .endsWith("; nothing was changed");
    assertThat(Trees.of(existing(target))).isEqualTo(before);
  }

  private static Path existing(Path path) {
    return Files.exists(path) ? path : existing(path.getParent());
  }

  @Test
  void export_intoAMountedFolder_staysOnItsDisk() throws Exception {
    try (Tmpfs disk = Tmpfs.mount(fresh(), "size=8m")) {
      exporter(OPTIONS).export(disk.folder());
      exporter(ExportOptions.of("second").withForce(true)).export(disk.folder());
      assertThat(names(disk.folder())).hasSize(16).contains("dit", "second");
    }
  }

  @Test
  void engines_batchRequestsTogether_butNotTheSampler() {
    Path repository = fresh();
    exporter(OPTIONS.withStepsPerRequest(2)).export(repository);
    for (String engine : List.of("dit-embed", "dit-condition", "dit-block01-cc", "dit-head")) {
      assertThat(ConfigFile.read(repository.resolve(engine)).hasDynamicBatching())
          .as(engine)
          .isTrue();
    }
    // Its inputs name rows by their index in the request: batched, they would name another's.
    assertThat(ConfigFile.read(repository.resolve("dit-sampler")).hasDynamicBatching()).isFalse();
    assertThat(ConfigFile.read(repository.resolve("dit")).hasDynamicBatching()).isFalse();
    exporter(OPTIONS.withForce(true).withDynamicBatching(false)).export(repository);
    assertThat(ConfigFile.read(repository.resolve("dit-head")).hasDynamicBatching()).isFalse();
  }

  // ---- routers ----

  @Test
  void routers_ofAnotherModelOrDepth_areRefused() {
    Model other = Model.named("DiT-S/8");
    List<String> branches = other.denoiser().branchNames();
    Router foreign = new Fora(2).router("r", "DiT-S/8", "ddim", Timesteps.of(TIMESTEPS), branches);
    assertRefused(foreign, "router 'r' is for model 'DiT-S/8', but this model is 'DiT-3x32/2'");
    Router deep = new Fora(2).router("r", "DiT-3x32/2", "ddim", Timesteps.of(TIMESTEPS), branches);
    assertRefused(deep, "router 'r' has 24 branches, but model 'DiT-3x32/2' has 6");
  }

  private void assertRefused(Router router, String message) {
    assertThatThrownBy(() -> exporter(OPTIONS, router))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(message);
  }

  @Test
  void routers_ofOneName_orCalledNone_areRefused() {
    Router none = router("none", new Fora(2));
    assertRefused(none, "router name 'none' is taken: give each router a name of its own");
    assertThatThrownBy(() -> exporter(OPTIONS, router("a", new Fora(2)), router("a", new Fora(3))))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("router name 'a' is taken");
  }

  @Test
  void options_areChecked() {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> ExportOptions.of("a/b"))
        .withMessageStartingWith("`modelName` 'a/b' must");
    assertThatIllegalArgumentException()
        .isThrownBy(() -> OPTIONS.withBlocksPerEngine(-1))
        .withMessageStartingWith("`blocksPerEngine` -1 must");
    assertThatIllegalArgumentException()
        .isThrownBy(
            () ->
                new ExportOptions(
                    "a", Precision.FP32, ExportOptions.Platform.ONNXRUNTIME, 1, 0, false))
        .withMessageStartingWith("`maxBatch` 0 must");
  }

  /** Every exported model names the base model that it is a part of, the base itself too. */
  @Test
  void export_marksEveryModel() {
    Path repository = fresh();
    exporter(OPTIONS, router("fora", new Fora(2))).export(repository);
    for (String name : names(repository)) {
      ModelConfig config = ConfigFile.read(repository.resolve(name));
      assertThat(config.getName()).isEqualTo(name);
      assertThat(config.getParametersOrThrow(Manifest.PART_OF).getStringValue()).isEqualTo("dit");
      assertThat(config.containsParameters(Manifest.KEY)).isEqualTo(name.equals("dit"));
      assertThat(config.containsParameters("harmonica_role")).isTrue();
    }
    assertThat(role(repository, "dit")).isEqualTo(Role.call("none"));
    assertThat(role(repository, "dit-fora-route00")).isEqualTo(Role.call("fora"));
    assertThat(role(repository, "dit-block01-11")).isEqualTo(Role.block("01", "11"));
    assertThat(role(repository, "dit-condition")).isEqualTo(Role.of(Role.Kind.CONDITION));
  }

  private static Role role(Path repository, String name) {
    return Role.of(ConfigFile.read(repository.resolve(name))).orElseThrow();
  }
}
