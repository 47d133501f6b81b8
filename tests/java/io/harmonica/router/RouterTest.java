package io.harmonica.router;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.HarmonicaException;
import io.harmonica.Timesteps;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RouterTest {
  private static final String VALID =
      """
      {
        "format": "harmonica-router/1",
        "name": "test",
        "model": "dit",
        "sampler": "ddim",
        "steps": 3,
        "timesteps": [900, 500, 0],
        "threshold": 0.1,
        "branches": ["block00.attention", "block00.mlp"],
        "scores": [
          [1, 0.75],
          [0.05, 1],
          [0.1, 0.3333]
        ],
        "reuse": "last",
        "training": {"policy":"hand","interval":2}
      }
      """;

  @TempDir Path folder;

  @Test
  void parse_validFile_hasItsValues() {
    Router router = Router.parse(VALID, "here");
    assertThat(router.name()).isEqualTo("test");
    assertThat(router.model()).isEqualTo("dit");
    assertThat(router.timesteps()).isEqualTo(Timesteps.of(List.of(900, 500, 0)));
    assertThat(router.branches()).containsExactly("block00.attention", "block00.mlp");
    assertThat(router.computes(0, 1)).isTrue();
    assertThat(router.computes(1, 0)).isFalse();
    assertThat(router.computes(2, 0)).as("a score at the threshold reuses").isFalse();
    assertThat(router.computes(2, 1)).isTrue();
    assertThat(router.reuse()).isEqualTo(Reuse.LAST);
    assertThat(router.training().get("interval").intValue()).isEqualTo(2);
  }

  private static final String RUNS =
      """
      {
        "format": "harmonica-router/3",
        "name": "test",
        "model": "dit",
        "sampler": "ddim",
        "steps": 3,
        "timesteps": [900, 500, 0],
        "threshold": 0.5,
        "branches": ["a.x", "a.y", "b.x"],
        "runs": [["a.x", "a.y"], ["a.y", "b.x"]],
        "scores": [
          [1, 1, 1, 1, 1],
          [0, 0, 1, 0.25, 1],
          [1, 0, 0, 1, 1]
        ],
        "reuse": "linear",
        "training": {}
      }
      """;

  @Test
  void runs_haveColumnsBehindTheBranches_andStayAsTheyAre() {
    Router router = Router.parse(RUNS, "here");
    assertThat(router.runs()).containsExactly(new Run(0, 1), new Run(1, 2));
    assertThat(router.isUnderRun(1, 0)).isTrue();
    assertThat(router.isUnderRun(1, 2)).isFalse();
    assertThat(router.isUnderRun(2, 1)).as("its own score reuses it, no run does").isFalse();
    assertThat(router.computes(1, 0)).isFalse();
    assertThat(Router.parse(router.toJson(), "there").toJson()).isEqualTo(router.toJson());
    assertThat(router.toJson())
        .contains("\"format\": \"harmonica-router/3\"", "\"runs\": [[\"a.x\", \"a.y\"], [");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          harmonica-router/3 | harmonica-router/1   | unknown field "runs"
          "runs"             | "ruins"              | unknown field "ruins"
          ["a.x", "a.y"],    | ["a.x"],             | runs[0] names 1 branches, expected its first and its last
          ["a.x", "a.y"],    | ["a.x", "c"],        | runs[0] names 'c', expected one of the branches
          ["a.x", "a.y"],    | ["a.y", "a.x"],      | runs[0] ends with a.x before it begins with a.y
          ["a.x", "a.y"],    | ["a.y", "b.x"],      | run a.y-b.x is listed twice
          ["a.x", "a.y"],    | 7,                   | runs[0] is a JSON number, expected an array
          [0, 0, 1, 0.25, 1] | [0, 0, 1, 0.25]      | scores[1] has 4 entries, expected one for each of 3 branches and 2 runs
          [0, 0, 1, 0.25, 1] | [1, 0, 1, 0.25, 1]   | scores[1] reuses run a.x-a.y but computes its branch a.x, expected all its branches reused
          [0, 0, 1, 0.25, 1] | [0, 0, 0, 0.25, 0]   | scores[1] reuses runs a.x-a.y and a.y-b.x, which share branches
          [1, 1, 1, 1, 1]    | [1, 1, 1, 1, 0]      | scores[0][4] is 0.0, not above the threshold 0.5
          """)
  void parse_faultOfRuns_saysWhatAndWhere(String valid, String faulty, String message) {
    String text = RUNS.replace(valid, faulty);
    assertThat(text).isNotEqualTo(RUNS);
    assertThatThrownBy(() -> Router.parse(text, "r.json"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("r.json")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  /** As flow models have them: they begin at 1000. */
  @Test
  void decimalTimesteps_areFormat2_andStayAsTheyAre() {
    String decimal =
        VALID
            .replace("harmonica-router/1", "harmonica-router/2")
            .replace("[900, 500, 0]", "[1000, 900.0904, 750]");
    Router router = Router.parse(decimal, "here");
    assertThat(router.timesteps().values()).containsExactly(1000.0, 900.0904, 750.0);
    assertThat(router.timesteps().areWhole()).isFalse();
    assertThat(router.toJson()).isEqualTo(decimal);
  }

  @Test
  void wholeTimesteps_ofFormat2_areWrittenAsFormat1_whereThatHasThem() {
    String whole = VALID.replace("harmonica-router/1", "harmonica-router/2");
    assertThat(Router.parse(whole, "here").toJson()).isEqualTo(VALID);
    String first = whole.replace("[900,", "[1000,"); // a flow model's first
    assertThat(Router.parse(first, "here").toJson()).isEqualTo(first);
  }

  @Test
  void timesteps_thatNoModelTakes_areRefused() {
    String decimal = VALID.replace("harmonica-router/1", "harmonica-router/2");
    for (String other : List.of("[1000.5, 500, 0]", "[900, 900.5, 0]", "[900, 500, -0.5]")) {
      assertThatThrownBy(() -> Router.parse(decimal.replace("[900, 500, 0]", other), "here"))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageContaining("timesteps[");
    }
    assertThatThrownBy(() -> Router.parse(VALID.replace("500", "500.5"), "here"))
        .hasMessageContaining("timesteps[1] is 500.5, expected a whole number");
  }

  @Test
  void toJson_readableForm_isTheFileAgain() {
    assertThat(Router.parse(VALID, "here").toJson()).isEqualTo(VALID);
  }

  @Test
  void scores_areACopy_soThatACheckedRouterStaysSo() {
    Router router = Router.parse(VALID, "here");
    router.scores()[0][1] = 0; // step 0 would have nothing to reuse
    assertThat(router.score(0, 1)).isEqualTo(0.75);
    assertThat(router.computes(0, 1)).isTrue();
    assertThat(router.toJson()).isEqualTo(VALID);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20})
  void parse_randomRouterWritten_keepsEveryBit(long seed) {
    Router router = Routers.random(seed);
    Router again = Router.parse(router.toJson(), "here");
    assertThat(again.scores()).isDeepEqualTo(router.scores());
    assertThat(again.toJson()).isEqualTo(router.toJson());
    assertThat(again.reuse().getClass()).isEqualTo(router.reuse().getClass());
  }

  @Test
  void parse_withoutOptionalFields_reusesTheLastOutput() {
    Router router =
        Router.parse(
            VALID.replace(
                ",\n  \"reuse\": \"last\",\n  \"training\": {\"policy\":\"hand\",\"interval\":2}",
                ""),
            "here");
    assertThat(router.reuse()).isEqualTo(Reuse.LAST);
    assertThat(router.training()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          harmonica-router/1     | harmonica-router/4 | format is "harmonica-router/4", expected "harmonica-router/1", "harmonica-router/2" or "harmonica-router/3"
          "format"               | "fromat"           | format is missing
          "model": "dit",        |                    | field "model" is missing
          "reuse"                | "reuses"           | unknown field "reuses"
          "name": "test"         | "name": 5          | name is a JSON number, expected a string
          "name": "test"         | "name": "a/b"      | name is 'a/b'
          "name": "test"         | "name": ".."       | name is '..'
          "model": "dit"         | "model": ""        | model is ''
          "sampler": "ddim"      | "sampler": "a b"   | sampler is 'a b', expected a name such as dpm-solver++
          "sampler": "ddim"      | "sampler": ""      | sampler is ''
          "steps": 3             | "steps": 4         | timesteps has 3 entries, expected steps = 4
          "steps": 3             | "steps": 2.5       | steps is 2.5, expected a whole number
          "steps": 3             | "steps": 1001      | steps is 1001, expected 1..1000
          "steps": 3             | "steps": 99999999999 | steps is 99999999999
          900, 500               | 900, 900           | timesteps[1] is 900, expected less than 900
          900, 500               | 1000, 500          | timesteps[0] is 1000, expected 0..999
          900, 500, 0            | 900, 0, -1         | timesteps[2] is -1, expected 0..999
          "threshold": 0.1       | "threshold": 1.5   | threshold is 1.5, expected 0..1
          "threshold": 0.1       | "threshold": "NaN" | threshold is a JSON string, expected a number
          block00.mlp            | block00.attention  | branch 'block00.attention' is listed twice
          block00.mlp            | a b                | a branch is 'a b'
          block00.mlp            | block00.           | a branch is 'block00.'
          [0.05, 1]              | [0.05]             | scores[1] has 1 entries, expected one for each of 2 branches
          [0.05, 1]              | [0.05, 1.01]       | scores[1][1] is 1.01, expected 0..1
          [0.05, 1]              | [-0.1, 1]          | scores[1][0] is -0.1, expected 0..1
          [0.05, 1]              | [1e999, 1]         | scores[1][0] is Infinity, expected 0..1
          [0.05, 1]              | ["a", 1]           | scores[1][0] is a JSON string, expected a number
          [0.05, 1]              | [NaN, 1]           | scores[1][0] is NaN, expected 0..1
          [0.05, 1]              | 7                  | scores[1] is a JSON number, expected an array
          [1, 0.75]              | [1, 0.1]           | scores[0][1] is 0.1, not above the threshold 0.1, but step 0 has nothing to reuse
          "last"                 | "cubic"            | reuse is "cubic", expected
          "last"                 | "weights"          | reuse is "weights" and weights is missing
          "reuse": "last"        | "weights": []      | reuse is "last" and weights is given
          {"policy":"hand","interval":2} | []         | training is a JSON array, expected a JSON object
          {"policy":"hand","interval":2} | {"a":1,"a":2} | no valid JSON
          """)
  void parse_fault_saysWhatAndWhere(String valid, String faulty, String message) {
    String text = VALID.replace(valid, faulty == null ? "" : faulty);
    assertThat(text).isNotEqualTo(VALID);
    assertThatThrownBy(() -> Router.parse(text, "r.json"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("r.json")
        .hasMessageContaining(message)
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          [[[1],[1]],[[0.5],[]],[[1],[1]]]       | weights[1][0] is 0.5 alone, expected 1
          [[[1],[1]],[[0,0],[]],[[1],[1]]]       | weights[1][0] has no weight other than 0
          [[[1],[1]],[[2,-1],[]],[[1],[1]]]      | weights[1][0] has 2 weights, but only 1 outputs of the branch are computed before step 1
          [[[1],[1]],[[1,0,0,0],[]],[[1],[1]]]   | weights[1][0] has 4 weights, expected at most 3
          [[[1],[1]],[[1e60],[]],[[1],[1]]]      | weights[1][0] holds 1.0E60, expected finite
          [[[1],[1]],[[1]],[[1],[1]]]            | weights[1] has 1 entries, expected one for each of 2
          [[[1],[1]],[[1],[1]]]                  | weights has 2 rows, expected steps = 3
          [[[1],[1]],[[1],1],[[1],[1]]]          | weights[1][1] is a JSON number, expected an array
          """)
  void parse_faultyWeights_saysWhatAndWhere(String weights, String message) {
    String text = VALID.replace("\"last\"", "\"weights\", \"weights\": " + weights);
    assertThatThrownBy(() -> Router.parse(text, "r.json"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith("r.json: " + message);
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "[]", "5", "{", "{} {}", "null", "\"x\""})
  void parse_somethingElse_isRefused(String text) {
    assertThatThrownBy(() -> Router.parse(text, "r.json")).isInstanceOf(HarmonicaException.class);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void read_mutatedBytes_onlyHarmonicaExceptionEscapes(long seed) throws IOException {
    var random = new Random(seed);
    byte[] valid =
        VALID
            .replace(
                "\"last\"",
                "\"weights\", \"weights\": [[[1],[1]],[[1],[2,-1]],[[1.0,0],[1.5,-0.5]]]")
            .getBytes(StandardCharsets.UTF_8);
    Path file = folder.resolve("mutated.json");
    Files.write(file, valid);
    assertThat(Router.read(file).steps()).isEqualTo(3);
    int refused = 0;
    for (int i = 0; i < 500; i++) {
      byte[] bytes = valid.clone();
      for (int flips = random.nextInt(3); flips >= 0; flips--) {
        bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
      }
      Files.write(file, bytes);
      try {
        Router.read(file);
      } catch (HarmonicaException e) {
        assertThat(e.getMessage()).contains(file.toString()).doesNotContain("\n");
        refused++;
      }
    }
    assertThat(refused).isGreaterThan(250);
  }

  @Test
  void write_existingFile_isReplacedAndLeavesNothingElse() throws IOException {
    Path file = folder.resolve("new/router.json");
    Router.parse(VALID.replace("test", "older"), "here").write(file);
    Router.parse(VALID, "here").write(file);
    assertThat(file).hasContent(VALID);
    try (var files = Files.list(file.getParent())) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void write_ontoFolder_isRefusedAndLeavesNothing() throws IOException {
    assertThatThrownBy(() -> Router.parse(VALID, "here").write(folder))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(folder + " is a folder, expected a file in it");
    try (var files = Files.list(folder.getParent())) {
      assertThat(files.map(Path::toString)).noneMatch(name -> name.endsWith(".tmp"));
    }
  }

  @Test
  void read_missingFile_saysSo() {
    assertThatThrownBy(() -> Router.read(folder.resolve("none.json")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessage(
            "cannot read router file %1$s: %1$s does not exist"
                .formatted(folder.resolve("none.json")));
  }

  @Test
  void requireFits_otherModelDepthOrBranches_saysWhich() {
    Router router = Router.parse(VALID, "here");
    router.requireFits("dit", List.of("block00.attention", "block00.mlp"));
    assertThatThrownBy(() -> router.requireFits("xl", router.branches()))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("is for model 'dit', but this model is 'xl'");
    assertThatThrownBy(() -> router.requireFits("dit", List.of("block00.attention")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("has 2 branches, but model 'dit' has 1");
    assertThatThrownBy(
            () -> router.requireFits("dit", List.of("block00.attention", "block00.cross")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("branch 1 is 'block00.mlp'")
        .hasMessageContaining("'block00.cross'");
  }
}
