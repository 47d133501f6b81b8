package io.harmonica.origin;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.nio.file.Path;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TrainingTest {
  private static final Path FILES = Path.of("tests/resources/io/harmonica/checkpoint");
  private static final ObjectMapper JSON =
      new ObjectMapper().enable(DeserializationFeature.USE_LONG_FOR_INTS);

  private static Settings settings(String json) throws JsonProcessingException {
    return Settings.of(JSON.readValue(json, new TypeReference<Map<String, Object>>() {}));
  }

  private static boolean told(String json) throws JsonProcessingException {
    try (Checkpoint checkpoint = Checkpoint.open(FILES.resolve("train.pt"))) {
      return Training.requireDiffusion(checkpoint, settings(json));
    }
  }

  /** Files that torch wrote with the settings of the public training scripts. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          sit.pt       | args.model is 'SiT-XL/2', which is trained by flow matching;
          repa.pt      | has 2 weights projectors.*, those of REPA, which trains SiT by flow matching;
          omegaconf.pt | args.transport.path_type is 'Linear', as in flow matching (SiT, REPA) or EDM;
          """)
  void checkpointOfFlowMatching_isRefusedByWhatItSays(String name, String found) {
    Path file = FILES.resolve(name);
    try (Checkpoint checkpoint = Checkpoint.open(file)) {
      assertThatThrownBy(() -> Model.of(checkpoint, OptionalInt.of(1)))
          .isInstanceOf(HarmonicaException.class)
          .hasMessageStartingWith(file + ": " + found)
          .hasMessageContaining("use the code that it was trained with")
          .message()
          .doesNotContain("\n");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {"args": {"path_type": "VP", "prediction": "noise"}}  | args.path_type is 'VP', as in flow matching
          {"args": {"path-type": "linear"}}                     | args.path-type is 'linear', as in flow matching
          {"args": {"prediction": "velocity"}}                  | args.prediction is 'velocity', expected noise
          {"args": {"prediction": "v"}}                         | args.prediction is 'v', expected noise
          {"prediction_type": "sample"}                         | prediction_type is 'sample', expected noise
          {"cfg": {"diffusion": {"mean_type": "START_X"}}}      | cfg.diffusion.mean_type is 'START_X', expected noise
          {"hyper_parameters": {"parameterization": "x0"}}      | hyper_parameters.parameterization is 'x0', expected noise
          {"args": {"objective": "pred_v"}}                     | args.objective is 'pred_v', expected noise
          {"args": {"transport": "fm"}}                         | args.transport is 'fm', expected noise
          {"args": {"predict_xstart": true}}                    | args.predict_xstart is true, expected false
          {"args": {"v_prediction": 1}}                         | args.v_prediction is 1, expected false
          {"args": {"P_mean": -0.4, "P_std": 1.0}}              | args.P_mean is -0.4, as in flow matching
          {"args": {"noise_schedule": "cosine"}}                | args.noise_schedule is 'cosine', expected linear
          {"args": {"beta_schedule": "squaredcos_cap_v2"}}      | args.beta_schedule is 'squaredcos_cap_v2', expected linear
          {"args": {"diffusion_steps": 100}}                    | args.diffusion_steps is 100, expected 1000
          {"args": {"beta_start": 0.00085}}                     | args.beta_start is 8.5E-4, expected 0.0001
          {"args": {"beta_end": 0.012}}                         | args.beta_end is 0.012, expected 0.02
          {"config": {"model": "sit-b/4"}}                      | config.model is 'sit-b/4', which is trained by flow matching
          {"args": {"model": "SiT-B/4"}}                        | args.model is 'SiT-B/4', which is trained by flow matching
          """)
  void settingsOfOtherTraining_areRefusedByTheirName(String json, String found) {
    String message = FILES.resolve("train.pt") + ": " + found;
    assertThatThrownBy(() -> told(json))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(message)
        .hasMessageContaining("would draw wrong pictures");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"args\": {\"prediction\": \"noise\"}}",
        "{\"prediction_type\": \"epsilon\"}",
        "{\"args\": {\"mean_type\": \"ModelMeanType.EPSILON\", \"path_type\": null}}",
        "{\"args\": {\"parameterization\": \"eps\", \"noise_schedule\": \"linear\", \"diffusion_steps\": 1000,"
            + " \"beta_start\": 0.0001, \"beta_end\": 0.02, \"predict_v\": false}}",
      })
  void settingsOfDiT_areTaken_andTellHow(String json) throws JsonProcessingException {
    assertThat(told(json)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"args\": {\"model\": \"DiT-XL/2\", \"num_classes\": 1000, \"vae\": \"ema\"}}",
        "{\"args\": {\"objective\": \"mse\", \"timesteps\": [0, 500], \"path_type\": \"None\"}}",
      })
  void settingsThatSayNothingOfIt_areTaken_andLeaveItOpen(String json)
      throws JsonProcessingException {
    assertThat(told(json)).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '~',
      textBlock =
          """
          {"args": {"num_heads": 3, "model": "DiT-S/2"}}                | 3
          {"args": {"encoder": {"num_heads": 12}, "num_heads": 3}}      | 3
          {"config": {"model": {"num_heads": 3}, "encoder": {"num_heads": 12}}} | 3
          {"args": {"encoder": {"num_heads": 12}}}                      | 0
          {"args": {"model": "DiT-S/2"}}                                | 6
          {"args": {"model": "MyDiT-S/8"}}                              | 6
          {"args": {"model": "DiT-B/2"}}                                | 0
          {"args": {"model": "DiT-T/2"}}                                | 0
          {"args": {"num_heads": "3"}}                                  | 0
          {}                                                            | 0
          """)
  void heads_areStated_orThePresetsOfThatWidth(String json, int heads)
      throws JsonProcessingException {
    assertThat(settings(json).heads(384).orElse(0)).isEqualTo(heads);
  }
}
