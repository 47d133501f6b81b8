package io.harmonica.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulerTest {
  @TempDir Path folder;

  @ParameterizedTest
  @Tag("golden")
  @CsvSource({
    "ddim, ddim, LEADING",
    "ddpm_learned_range, iddpm, LEADING",
    "dpmpp_2m, dpm-solver++, LINSPACE",
    "sa_solver, sa-solver, LINSPACE"
  })
  void read_whatDiffusersSaved(String run, String sampler, Spacing spacing) {
    assertThat(Scheduler.read(Golden.path("samplers/configs/" + run + "/scheduler_config.json")))
        .isEqualTo(new Scheduler(sampler, spacing, 1000, 1e-4, 0.02));
  }

  @Test
  void read_fieldsThatAreAbsent_areDiffusersOwn() throws IOException {
    assertThat(read("'_class_name': 'DPMSolverMultistepScheduler'"))
        .isEqualTo(new Scheduler("dpm-solver++", Spacing.LINSPACE, 1000, 1e-4, 0.02));
    assertThat(
            read(
                "'_class_name': 'DDIMScheduler', 'clip_sample': false, 'num_train_timesteps': 500,"
                    + " 'beta_start': 0.001, 'beta_end': 0.01"))
        .isEqualTo(new Scheduler("ddim", Spacing.LEADING, 500, 0.001, 0.01));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          '_class_name': 'EulerDiscreteScheduler' | scheduler 'EulerDiscreteScheduler' is unknown, expected DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, SASolverScheduler
          'beta_start': 1 | scheduler '' is unknown
          '_class_name': 'DDIMScheduler' | field clip_sample is true where it is absent, expected false, the only one supported
          '_class_name': 'DDIMScheduler', 'clip_sample': false, 'timestep_spacing': 'trailing' | field timestep_spacing is trailing, expected leading
          '_class_name': 'DDPMScheduler', 'clip_sample': false | field variance_type is fixed_small where it is absent, expected learned_range
          '_class_name': 'DPMSolverMultistepScheduler', 'solver_order': 3 | field solver_order is 3, expected 2
          '_class_name': 'DPMSolverMultistepScheduler', 'use_karras_sigmas': true | field use_karras_sigmas is true, expected false
          '_class_name': 'DPMSolverMultistepScheduler', 'prediction_type': 'v_prediction' | field prediction_type is v_prediction, expected epsilon
          '_class_name': 'DPMSolverMultistepScheduler', 'trained_betas': [0.1] | field trained_betas is [0.1], expected null
          '_class_name': 'SASolverScheduler', 'beta_schedule': 'scaled_linear' | field beta_schedule is scaled_linear, expected linear
          '_class_name': 'SASolverScheduler', 'beta_end': 'much' | field beta_end is "much", expected a number above 0 and below 1
          '_class_name': 'SASolverScheduler', 'num_train_timesteps': 1 | field num_train_timesteps is 1, expected a whole number from 2 to 1000000
          '_class_name': | no valid JSON
          """)
  void read_whatOurSamplersWouldDoOtherwise_isRefused(String fields, String message) {
    assertThatThrownBy(() -> read(fields))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(folder.toString())
        .hasMessageContaining(message);
  }

  @Test
  void read_missingFile_isOneLine() {
    assertThatThrownBy(() -> Scheduler.read(folder.resolve("none.json")))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("none.json does not exist");
  }

  private Scheduler read(String fields) throws IOException {
    Path file = folder.resolve("scheduler_config.json");
    Files.writeString(file, "{" + fields.replace('\'', '"') + "}");
    return Scheduler.read(file);
  }
}
