package io.harmonica.sampler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.harmonica.Golden;
import io.harmonica.HarmonicaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SchedulerTest {
  private static final Sampling DIT = Sampling.of(Diffusion.DDPM, "ddim", Spacing.LEADING, true);

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
    assertThat(
            Scheduler.read(Golden.path("samplers/configs/" + run + "/scheduler_config.json"), DIT))
        .isEqualTo(new Scheduler(Diffusion.DDPM, sampler, spacing, Optional.empty()));
  }

  @Test
  void read_fieldsThatAreAbsent_areDiffusersOwn() throws IOException {
    assertThat(read("'_class_name': 'DPMSolverMultistepScheduler'"))
        .isEqualTo(
            new Scheduler(Diffusion.DDPM, "dpm-solver++", Spacing.LINSPACE, Optional.empty()));
    assertThat(
            read(
                "'_class_name': 'DDIMScheduler', 'clip_sample': false, 'num_train_timesteps': 500,"
                    + " 'beta_start': 0.001, 'beta_end': 0.01"))
        .isEqualTo(
            new Scheduler(
                new Diffusion(500, Betas.LINEAR, 0.001, 0.01, Predicts.NOISE),
                "ddim",
                Spacing.LEADING,
                Optional.empty()));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          'beta_start': 1 | scheduler '' is unknown, expected DDIMScheduler, DDPMScheduler, DPMSolverMultistepScheduler, SASolverScheduler
          '_class_name': 'FlowMatchEulerDiscreteScheduler', 'shift': 3.0 | scheduler FlowMatchEulerDiscreteScheduler is for models that were trained on a flow, and this one was not: give the one that it was published with
          '_class_name': 'EulerDiscreteScheduler', 'beta_schedule': 'linear', 'beta_end': 0.02 | field beta_start of EulerDiscreteScheduler is absent
          '_class_name': 'EulerDiscreteScheduler', 'timestep_type': 'continuous' | field timestep_type is continuous, expected discrete
          '_class_name': 'DDIMScheduler', 'new_in_2027': 1 | field new_in_2027 of DDIMScheduler is unknown
          '_class_name': 'DDIMScheduler', '_use_default_values': ['clip_sample'] | field _use_default_values of DDIMScheduler is unknown
          '_class_name': 'DDIMScheduler', 'predict_epsilon': false | field predict_epsilon is false, expected true
          '_class_name': 'DDIMScheduler', 'rescale_betas_zero_snr': true | field rescale_betas_zero_snr is true, expected false
          '_class_name': 'SASolverScheduler', 'rescale_betas_zero_snr': true | field rescale_betas_zero_snr is true, expected false
          '_class_name': 'DPMSolverMultistepScheduler', 'prediction_type': 'flow_prediction' | field prediction_type is flow_prediction, expected epsilon, sample or v_prediction, the only ones supported
          '_class_name': 'DPMSolverMultistepScheduler', 'use_flow_sigmas': true | field use_flow_sigmas is true, expected false or null
          '_class_name': 'DPMSolverMultistepScheduler', 'trained_betas': [0.1] | field trained_betas is [0.1], expected null
          '_class_name': 'DDPMScheduler', 'beta_schedule': 'sigmoid' | field beta_schedule is sigmoid, expected linear, scaled_linear or squaredcos_cap_v2
          '_class_name': 'SASolverScheduler', 'beta_end': 'much' | field beta_end is "much", expected a number above 0 and below 1
          '_class_name': 'SASolverScheduler', 'num_train_timesteps': 1 | field num_train_timesteps is 1, expected a whole number from 2 to 1000000
          '_class_name': | no valid JSON
          """)
  void read_modelThatNoSamplerIsFor_isRefused(String fields, String message) {
    assertThatThrownBy(() -> read(fields))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(folder.toString())
        .hasMessageContaining(message);
  }

  /** Another sampler draws with the model all the same, and must be stated. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      textBlock =
          """
          '_class_name': 'EulerDiscreteScheduler', 'beta_schedule': 'scaled_linear' | scheduler EulerDiscreteScheduler draws as none of our samplers does
          '_class_name': 'DDIMScheduler', 'clip_sample': true | field clip_sample is true, expected false, the only one supported
          '_class_name': 'DDIMScheduler' | field clip_sample is true where it is absent, expected false
          '_class_name': 'DDPMScheduler', 'clip_sample': false | field variance_type is fixed_small where it is absent, expected learned_range
          '_class_name': 'DPMSolverMultistepScheduler', 'use_karras_sigmas': true | field use_karras_sigmas is true, expected false
          '_class_name': 'DPMSolverMultistepScheduler', 'algorithm_type': 'sde-dpmsolver++' | field algorithm_type is sde-dpmsolver++, expected dpmsolver++
          '_class_name': 'DPMSolverMultistepScheduler', 'lambda_min_clipped': -5 | field lambda_min_clipped is -5, which leaves out timesteps, expected at most the log-SNR -5.05
          '_class_name': 'DDIMScheduler', 'clip_sample': false, 'steps_offset': 1 | field steps_offset is 1, expected 0
          """)
  void sampler_ofAWayThatNoneOfOursFollows_mustBeStated(String fields, String message)
      throws IOException {
    Path file =
        write(
            fields + ", 'beta_start': 0.0001, 'beta_end': 0.02, 'prediction_type': 'v_prediction'");
    Sampling usual = Sampling.of(Diffusion.DDPM, "ddim", Spacing.LEADING, false);
    Sampling says = usual.withScheduler(file);
    assertThatThrownBy(says::sampler)
        .isInstanceOf(HarmonicaException.class)
        .hasMessageStartingWith(folder.toString())
        .hasMessageContaining(message)
        .hasMessageContaining("; state a `sampler`, which then draws with this file's noise");
    for (String name : List.of("ddim", "dpm-solver++", "sa-solver")) {
      Sampling stated = says.withSampler(name);
      assertThat(stated.sampler()).isEqualTo(name);
      assertThat(stated.spacing()).isEqualTo(Sampler.spacing(name, Spacing.LEADING));
      assertThat(stated.noising()).isEqualTo(says.noising());
      assertThat(((Diffusion) stated.noising()).predicts()).isEqualTo(Predicts.VELOCITY);
    }
    assertThatThrownBy(() -> says.withSampler("iddpm"))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("sampler iddpm needs a learned variance");
  }

  @Test
  void read_missingFile_isOneLine() {
    assertThatThrownBy(() -> Scheduler.read(folder.resolve("none.json"), DIT))
        .isInstanceOf(HarmonicaException.class)
        .hasMessageContaining("none.json does not exist");
  }

  private Scheduler read(String fields) throws IOException {
    return Scheduler.read(write(fields), DIT);
  }

  private Path write(String fields) throws IOException {
    Path file = folder.resolve("scheduler_config.json");
    return Files.writeString(file, "{" + fields.replace('\'', '"') + "}");
  }
}
