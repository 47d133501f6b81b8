package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.origin.Settings.Setting;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * How a DiT must have been trained for the samplers here to draw with it: to predict the noise of a
 * diffusion whose betas grow linearly from 0.0001 to 0.02 over 1000 timesteps (Ho et al., arXiv
 * 2006.11239), as facebookresearch/DiT trains. Weights of SiT and REPA have the same names.
 */
final class Training {
  private static final String WHY =
      "the samplers here need a model that predicts the noise of DiT's diffusion (betas linear over 1000 timesteps) and would draw wrong pictures with this one: use the code that it was trained with, or a checkpoint of DiT's own training";

  private static final Set<String> NOISE =
      words("noise eps epsilon pred_noise predict_noise pred_eps predict_eps pred_epsilon");

  /** Settings that say what is predicted. */
  private static final Set<String> PREDICTION =
      words(
          """
          prediction prediction_type pred_type pred_target parameterization mean_type
          model_mean_type
          """);

  /** Settings that may say it, among other things. */
  private static final Set<String> OBJECTIVE =
      words("objective target target_type loss_target transport diffusion_type");

  private static final Set<String> NO_NOISE =
      words(
          """
          v velocity pred_v predict_v v_prediction v_pred x0 x_0 pred_x0 predict_x0
          x_start xstart pred_xstart predict_xstart score fm flow flow_matching rf
          rectified_flow meanflow mean_flow edm
          """);

  /** Settings that, where true, say that it is something else. */
  private static final Set<String> FLAGS =
      words(
          """
          v_pred pred_v predict_v v_prediction use_v_prediction predict_velocity pred_x0
          predict_x0 pred_xstart predict_xstart predict_x_start flow_matching
          use_flow_matching rectified_flow use_rectified_flow rescale_betas_zero_snr
          zero_terminal_snr
          """);

  /** Settings that only training of another kind has. */
  private static final Set<String> PATHS = Set.of("path_type", "p_mean", "sigma_data");

  private static final Set<String> SCHEDULES =
      words("noise_schedule beta_schedule diffusion_schedule ddpm_beta_schedule schedule_name");

  private static final Set<String> TIMESTEPS =
      words(
          """
          diffusion_steps train_diffusion_steps num_diffusion_steps
          num_diffusion_timesteps num_train_timesteps num_timesteps ddpm_num_steps
          timesteps
          """);

  /** Latent diffusion has the second name, and means other betas by the same word "linear". */
  private static final Set<String> BETA_START = Set.of("beta_start", "linear_start");

  private static final Set<String> BETA_END = Set.of("beta_end", "linear_end");

  private Training() {}

  private static Set<String> words(String text) {
    return Set.of(text.strip().split("\\s+"));
  }

  /**
   * Refuses weights that were trained otherwise, as far as anything says so.
   *
   * @return whether anything says that they were trained like this
   */
  static boolean requireDiffusion(Checkpoint checkpoint, Settings settings) {
    requireNoise(checkpoint, settings);
    require(checkpoint, settings.named(SCHEDULES), s -> word(s).equals("linear"), "linear");
    require(checkpoint, settings.named(TIMESTEPS), s -> fits(s, 1000), "1000");
    require(checkpoint, settings.named(BETA_START), s -> fits(s, 1e-4), "0.0001");
    require(checkpoint, settings.named(BETA_END), s -> fits(s, 0.02), "0.02");
    return !settings.named(PREDICTION).isEmpty();
  }

  /** Refuses weights that predict something else than noise, as far as anything says so. */
  static void requireNoise(Checkpoint checkpoint, Settings settings) {
    requireNoProjectors(checkpoint);
    if (settings.namesFamily("SiT")) {
      throw refusal(checkpoint, settings.modelWords() + ", which is trained by flow matching");
    }
    for (Setting setting : settings.named(PATHS)) {
      throw refusal(checkpoint, setting.words() + ", as in flow matching (SiT, REPA) or EDM");
    }
    require(checkpoint, settings.named(PREDICTION), s -> NOISE.contains(word(s)), "noise");
    require(checkpoint, settings.named(OBJECTIVE), s -> !NO_NOISE.contains(word(s)), "noise");
    require(checkpoint, settings.named(FLAGS), s -> !isTrue(s), "false");
  }

  private static void requireNoProjectors(Checkpoint checkpoint) {
    List<String> projectors =
        checkpoint.names().stream().filter(name -> name.startsWith("projectors.")).toList();
    if (!projectors.isEmpty()) {
      throw refusal(
          checkpoint,
          "has %d weights projectors.*, those of REPA, which trains SiT by flow matching"
              .formatted(projectors.size()));
    }
  }

  private interface Fits {
    boolean test(Setting setting);
  }

  private static void require(
      Checkpoint checkpoint, List<Setting> settings, Fits fits, String expected) {
    for (Setting setting : settings) {
      if (!fits.test(setting)) {
        throw refusal(checkpoint, "%s, expected %s".formatted(setting.words(), expected));
      }
    }
  }

  private static HarmonicaException refusal(Checkpoint checkpoint, String found) {
    return new HarmonicaException("%s: %s; %s".formatted(checkpoint.path(), found, WHY));
  }

  /** {@code ModelMeanType.EPSILON}, {@code v-prediction}: as one lower-case word. */
  private static String word(Setting setting) {
    String text = String.valueOf(setting.value()).toLowerCase(Locale.ROOT).strip();
    return text.substring(text.lastIndexOf('.') + 1).replace('-', '_').replace(' ', '_');
  }

  private static boolean isTrue(Setting setting) {
    return setting.value() instanceof Number number
        ? number.doubleValue() != 0
        : word(setting).equals("true");
  }

  /** Numbers only: a list of timesteps or the like is something else. */
  private static boolean fits(Setting setting, double expected) {
    return !(setting.value() instanceof Number number)
        || Math.abs(number.doubleValue() - expected) <= 1e-9;
  }
}
