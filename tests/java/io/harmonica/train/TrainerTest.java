package io.harmonica.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.model.Flops;
import io.harmonica.router.Reuse;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.router.Schedule;
import io.harmonica.train.Tiny.Settings;
import io.harmonica.train.TrainOptions.Control;
import io.harmonica.train.TrainOptions.Lambda;
import io.harmonica.train.TrainOptions.Objective;
import io.harmonica.train.TrainOptions.Reusing;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class TrainerTest {
  /** By steps: models whose uncached pictures are drawn once for all trainings. */
  private static final Map<Integer, Tiny> TINY = new HashMap<>();

  @TempDir Path folder;
  private final List<String> notes = new ArrayList<>();

  /** Keeps the notes. */
  static Progress progress(List<String> notes) {
    return new Progress() {
      @Override
      public void begin(String name, int total) {}

      @Override
      public void advance(String note) {}

      @Override
      public void note(String what) {
        notes.add(what);
      }
    };
  }

  private static Tiny tiny(int steps) {
    return TINY.computeIfAbsent(steps, Tiny::new);
  }

  @AfterAll
  static void close() {
    TINY.values().forEach(Tiny::close);
    TINY.clear();
  }

  private Router train(Settings settings, String name, Optional<Path> resume) {
    Tiny tiny = tiny(settings.steps());
    TrainingFiles files = new TrainingFiles(folder.resolve(name + ".json"));
    return new Trainer(tiny.task, tiny.denoising(), settings.options(), files, progress(notes))
        .run(resume);
  }

  private Savings savings(Router router) {
    return tiny(router.steps()).task.savings(router);
  }

  @ParameterizedTest
  @CsvSource({"SDT,LAST", "SDT,LEARNED", "LTC,LAST"})
  void resume_halfWay_equalsOneRunBitForBit(Objective objective, Reusing reuse) throws IOException {
    Settings whole =
        objective == Objective.LTC
            ? Settings.SHORT.objective(objective)
            : Settings.SHORT.reuse(reuse);
    Router once = train(whole, "once", Optional.empty());
    train(whole.iterations(2), "half", Optional.empty());
    Router resumed = train(whole, "half", Optional.of(folder.resolve("half.state.json")));
    assertThat(resumed.scores()).isDeepEqualTo(once.scores());
    assertThat(withoutTimes("half.json").replace("half", "once"))
        .isEqualTo(withoutTimes("once.json"));
    assertThat(withoutTimes("half.state.json")).isEqualTo(withoutTimes("once.state.json"));
    assertThat(withoutTimes("half.log.jsonl")).isEqualTo(withoutTimes("once.log.jsonl"));
  }

  private String withoutTimes(String file) throws IOException {
    return Files.readString(folder.resolve(file))
        .replaceAll("\"(trainingSeconds|seconds|peakMemoryBytes)\" ?: ?[0-9.E-]+", "");
  }

  @Test
  void run_writesRouterStateLogAndPictures() throws IOException {
    Router router = train(Settings.SHORT, "all", Optional.empty());
    assertThat(Router.read(folder.resolve("all.json")).scores()).isDeepEqualTo(router.scores());
    for (String ending : new String[] {".state.json", ".log.jsonl", ".curves.png", ".png"}) {
      assertThat(folder.resolve("all" + ending)).isNotEmptyFile();
    }
    assertThat(Files.readAllLines(folder.resolve("all.log.jsonl")))
        .hasSize(4 + 2); // iterations, and lambda at 0 and 3
    assertThat(router.training().path("objective").asText()).isEqualTo("sdt");
    assertThat(router.training().path("iterations").asInt()).isEqualTo(4);
    assertThat(router.training().path("checkpoint").asText()).hasSize(32);
    assertThat(router.training().path("peakMemoryBytes").asLong()).isPositive();
  }

  @ParameterizedTest
  @CsvSource({"0.3,random", "0.5,random", "0.5,taylor", "0.2,none", "0.4,delta-dit"})
  void targetCur_landsOnTheNearestEntry(double cur, String start) {
    Settings settings = Settings.SHORT.control(Control.cur(cur)).start(start);
    double one = 1.0 / (6 * 6);
    assertThat(savings(train(settings, "cur", Optional.empty())).cur())
        .isBetween(cur - 1e-9, cur + one);
  }

  @ParameterizedTest
  @CsvSource({"1.2", "1.5", "2.5"})
  void targetSpeedup_neverBelow_andWithinTheLightestBranch(double speedup) {
    Settings settings = Settings.SHORT.control(Control.speedup(speedup));
    Router router = train(settings, "speedup", Optional.empty());
    double reached = savings(router).theoreticalSpeedup().orElseThrow();
    Flops flops = tiny(6).task.flops();
    double full = 6.0 * flops.full();
    double lightest = flops.branches().stream().mapToLong(Long::longValue).min().orElseThrow();
    assertThat(reached).isGreaterThanOrEqualTo(speedup * (1 - 1e-9));
    assertThat(full / reached).isGreaterThan(full / speedup - lightest);
  }

  @Test
  void routerToStartFrom_isWhatNoIterationsEndAt() {
    Router ltc = train(Settings.SHORT.objective(Objective.LTC), "ltc", Optional.empty());
    Settings same =
        Settings.SHORT.control(Control.cur(savings(ltc).cur())).start(Start.of(ltc)).iterations(0);
    Router again = train(same.reuse(Reusing.LEARNED), "again", Optional.empty());
    assertThat(again.computes()).isDeepEqualTo(ltc.computes());
    assertThat(again.training().path("init").asText()).isEqualTo("router tiny");
    Settings longer =
        new Settings(
            7, same.objective(), same.reuse(), same.lambda(), same.control(), same.start(), 0, 0);
    assertThatThrownBy(() -> train(longer, "longer", Optional.empty()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`init`: router 'tiny' has 6 steps, expected `steps` 7: start from one of as many");
  }

  @Test
  void beta_higher_reusesMore() {
    Settings settings = Settings.SHORT.lambda(Lambda.NONE).iterations(60);
    double free = savings(train(settings.control(Control.beta(0)), "a", Optional.empty())).cur();
    double dear = savings(train(settings.control(Control.beta(1e6)), "b", Optional.empty())).cur();
    assertThat(free).isLessThan(0.2);
    assertThat(dear).isGreaterThan(0.4);
  }

  @Test
  void target_unreachable_namesTheNearest() {
    assertThatThrownBy(() -> train(Settings.SHORT.control(Control.cur(0.9)), "u", Optional.empty()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`targetCur` 0.9 cannot be reached, the nearest is 0.833: 1 of 6 steps compute"
                + " everything");
    assertThatThrownBy(
            () ->
                train(
                    Settings.SHORT.objective(Objective.LTC).control(Control.speedup(2)),
                    "u",
                    Optional.empty()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("`targetSpeedup` 2.0 cannot be reached, the nearest is 1.")
        .hasMessageContaining("3 of 6 steps compute everything");
  }

  @Test
  void ltc_trainsOnlyEverySecondStep() {
    Settings settings = Settings.SHORT.objective(Objective.LTC);
    Router router = train(settings, "ltc", Optional.empty());
    for (int s = 0; s < 6; s += 2) {
      for (int b = 0; b < 6; b++) {
        assertThat(router.computes(s, b)).isTrue();
      }
    }
    assertThat(savings(router).cur()).isCloseTo(0.4, within(1.0 / 36));
    assertThat(router.training().path("pictures").asText()).contains("generated");
  }

  @Test
  void learned_weights_areThoseOfTheSchedule() {
    Router router = train(Settings.SHORT.reuse(Reusing.LEARNED), "learned", Optional.empty());
    assertThat(router.reuse()).isInstanceOf(Reuse.Weights.class);
    Schedule schedule = Schedule.of(router); // refuses weights that a trajectory cannot follow
    assertThat(schedule.routes()).anyMatch(route -> route.histories().contains(2));
  }

  @ParameterizedTest
  @EnumSource(names = {"LINEAR", "QUADRATIC"})
  void forecast_isNamedInTheRouter(Reusing reuse) {
    Router router = train(Settings.SHORT.reuse(reuse), "forecast", Optional.empty());
    assertThat(router.reuse()).isEqualTo(reuse.forecast());
  }

  @ParameterizedTest
  @EnumSource(names = {"LAST", "LEARNED"})
  void training_worseThanTheTableItStartedFrom_keepsThat(Reusing reuse) throws IOException {
    Settings settings = Settings.SHORT.start("taylor").reuse(reuse);
    Router untrained = train(settings.iterations(0), "untrained", Optional.empty());
    assertThat(untrained.training().has("keptStart")).isFalse();
    train(settings.iterations(1), "astray", Optional.empty());
    Path state = folder.resolve("astray.state.json");
    ObjectNode led = (ObjectNode) new ObjectMapper().readTree(state.toFile());
    ArrayNode logits = (ArrayNode) led.at("/table/logits");
    for (int s = 1; s < logits.size(); s++) { // to compute late steps only
      ArrayNode row = (ArrayNode) logits.get(s);
      for (int b = 0; b < row.size(); b++) {
        row.set(b, s - 5);
      }
    }
    Files.writeString(state, led.toString());
    Router kept = train(settings.iterations(1), "astray", Optional.of(state));
    assertThat(kept.computes()).isDeepEqualTo(untrained.computes());
    assertThat(kept.training().path("unseenError"))
        .isEqualTo(untrained.training().path("unseenError"));
    assertThat(kept.training().path("keptStart").asBoolean()).isTrue();
    assertThat(kept.training().path("exactErrorTrained").asDouble())
        .isGreaterThan(kept.training().path("exactErrorBefore").asDouble());
    assertThat(notes).last().asString().contains("started from");
  }

  @ParameterizedTest
  @EnumSource(names = {"LAST", "LEARNED"})
  void exchange_neverWorseAndWithinTheTarget(Reusing reuse) throws IOException {
    Settings settings = Settings.SHORT.reuse(reuse).exchange(2);
    Router router = train(settings, "exchange", Optional.empty());
    String log = Files.readString(folder.resolve("exchange.log.jsonl"));
    assertThat(log).contains("{\"exchange\":0,\"error\":");
    double before = router.training().path("exactErrorBefore").asDouble();
    double after = router.training().path("exactError").asDouble();
    assertThat(after).isPositive().isLessThan(before);
    double unseenBefore = router.training().path("unseenErrorBefore").asDouble();
    double unseen = router.training().path("unseenError").asDouble();
    assertThat(unseenBefore).isPositive().isNotEqualTo(before); // of other pictures
    assertThat(unseen).isPositive().isNotEqualTo(after).isNotEqualTo(unseenBefore);
    assertThat(savings(router).cur()).isGreaterThanOrEqualTo(0.4);
  }

  @ParameterizedTest
  @CsvSource({"0, LINEAR", "3, LEARNED"})
  void resume_betweenRoundsOfExchange_equalsOneRun(int iterations, Reusing reuse)
      throws IOException {
    Settings whole = Settings.SHORT.iterations(iterations).start("taylor").reuse(reuse).exchange(2);
    Router once = train(whole, "once", Optional.empty());
    train(whole.exchange(1), "half", Optional.empty());
    train(whole, "half", Optional.of(folder.resolve("half.state.json")));
    assertThat(once.training().path("exchangeRounds").asInt()).isGreaterThan(1);
    assertThat(once.training().path("trainingSeconds").asInt())
        .isLessThanOrEqualTo(iterations * once.training().path("seconds").asInt());
    var state = new ObjectMapper().readTree(folder.resolve("once.state.json").toFile());
    assertThat(state.path("seconds").asDouble() > 0).isEqualTo(iterations > 0);
    assertThat(state.path("exchanged").path("seconds").asDouble())
        .isGreaterThan(state.path("seconds").asDouble());
    assertThat(withoutTimes("half.json").replace("half", "once"))
        .isEqualTo(withoutTimes("once.json"));
    assertThat(withoutTimes("half.state.json")).isEqualTo(withoutTimes("once.state.json"));
    assertThat(withoutTimes("half.log.jsonl")).isEqualTo(withoutTimes("once.log.jsonl"));
  }

  @Test
  void resume_otherLearningRate_isTheWayOut() throws IOException {
    Path state = trainedAt("5.0");
    assertThat(learningRate(train(Settings.SHORT.iterations(2), "rate", Optional.of(state))))
        .isEqualTo(5.0); // no iteration has another
    assertThat(notes).isEmpty();
    trainedAt("5.0");
    assertThat(learningRate(train(Settings.SHORT, "rate", Optional.of(state)))).isEqualTo(0.05);
    assertThat(notes).containsExactly("learning rate 0.05 from iteration 2 on, 5.0 before");
  }

  /** The state of two iterations, which says that they had another learning rate than 0.05. */
  private Path trainedAt(String rate) throws IOException {
    train(Settings.SHORT.iterations(2), "rate", Optional.empty());
    Path state = folder.resolve("rate.state.json");
    String text = Files.readString(state);
    assertThat(text).contains("\"learningRate\":0.05");
    return Files.writeString(
        state, text.replace("\"learningRate\":0.05", "\"learningRate\":" + rate));
  }

  private static double learningRate(Router router) {
    return router.training().path("learningRate").asDouble();
  }

  @Test
  void resume_higherLearningRate_isRefused() throws IOException {
    Path state = trainedAt("0.01");
    assertThatThrownBy(() -> train(Settings.SHORT, "rate", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("was trained with learningRate 0.01, not 0.05");
  }

  @Test
  void resume_withoutExchange_keepsWhatWasExchanged() throws IOException {
    Settings whole = Settings.SHORT.iterations(0).start("taylor").exchange(2);
    train(whole, "kept", Optional.empty());
    String before = withoutTimes("kept.json");
    Path state = folder.resolve("kept.state.json");
    train(whole.exchange(0), "kept", Optional.of(state));
    assertThat(withoutTimes("kept.json")).isEqualTo(before);
  }

  @Test
  void resume_toIterationsThatWouldDropAnExchange_isRefused_andLosesNothing() throws IOException {
    Settings whole = Settings.SHORT.iterations(0).start("taylor").exchange(1);
    train(whole, "full", Optional.empty());
    Path state = folder.resolve("full.state.json");
    String before = Files.readString(state);
    String log = Files.readString(folder.resolve("full.log.jsonl"));
    assertThatThrownBy(() -> train(whole.iterations(5), "full", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`resume` %s has exchanged branches after 0 iterations (rounds: 1), which `iterations`"
                + " 5 would drop: give `iterations` 0 to go on, or train anew",
            state);
    assertThat(Files.readString(state)).isEqualTo(before);
    assertThat(Files.readString(folder.resolve("full.log.jsonl"))).isEqualTo(log);
  }

  @Test
  void resume_fewerIterations_isRefused() {
    train(Settings.SHORT, "fewer", Optional.empty());
    Path state = folder.resolve("fewer.state.json");
    assertThatThrownBy(() -> train(Settings.SHORT.iterations(1), "fewer", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`resume` %s has 4 iterations, more than `iterations` 1: ask for as many or more",
            state);
  }

  @Test
  void resume_withoutSettings_isRefused() throws IOException {
    train(Settings.SHORT, "bare", Optional.empty());
    Path state = folder.resolve("bare.state.json");
    String text = Files.readString(state);
    Files.writeString(state, text.replaceFirst("\"settings\":\\{[^}]*}", "\"settings\":null"));
    assertThatThrownBy(() -> train(Settings.SHORT, "bare", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("bare.state.json is damaged")
        .hasMessageEndingWith("train anew");
  }

  @Test
  void resume_otherSettings_isRefusedNamingThem() {
    train(Settings.SHORT, "other", Optional.empty());
    Path state = folder.resolve("other.state.json");
    assertThatThrownBy(
            () -> train(Settings.SHORT.reuse(Reusing.LINEAR), "other", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "`resume` %s was trained with reuse last, not linear: give the same options", state);
  }

  @Test
  void resume_otherModel_isRefused() throws IOException {
    train(Settings.SHORT, "model", Optional.empty());
    Path state = folder.resolve("model.state.json");
    String text = Files.readString(state);
    Files.writeString(
        state, text.replaceFirst("\"checkpoint\":\"[0-9a-f]+\"", "\"checkpoint\":\"00ff\""));
    assertThatThrownBy(() -> train(Settings.SHORT, "model", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("is of a checkpoint with digest 00ff, this one has");
  }

  @ParameterizedTest
  @CsvSource({
    "'{',is no state of a training run",
    "'{\"format\":\"x\"}','has format x, expected harmonica-training/2'"
  })
  void resume_damaged_isRefused(String text, String expected) throws IOException {
    Path state = Files.writeString(folder.resolve("damaged.state.json"), text);
    assertThatThrownBy(() -> train(Settings.SHORT, "damaged", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining(expected);
  }

  @Test
  void resume_missing_isRefused() {
    Path state = folder.resolve("nowhere.state.json");
    assertThatThrownBy(() -> train(Settings.SHORT, "missing", Optional.of(state)))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("nowhere.state.json does not exist");
  }
}
