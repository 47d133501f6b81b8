package io.harmonica.sampler;

import io.harmonica.InvalidProperty;
import io.harmonica.Timesteps;
import java.util.List;
import java.util.Optional;

/**
 * DDIM (Song et al., "Denoising Diffusion Implicit Models", arXiv 2010.02502, equations 12 and 16).
 *
 * <p>All in fp32 and in the order of the reference that the spacing comes from: where a model
 * denoises poorly x grows large, and one rounding more shows.
 *
 * @param eta 0 is deterministic, 1 as noisy as DDPM
 */
record Ddim(
    Timesteps timesteps, Spacing spacing, NoiseSchedule schedule, Predicts predicts, float eta)
    implements Memoryless {

  @Override
  public Sampler withEta(double other) {
    if (!(other >= 0 && other <= 1)) {
      throw new InvalidProperty("eta", "%s is out of range 0..1".formatted(other));
    }
    return new Ddim(timesteps, spacing, schedule, predicts, (float) other);
  }

  @Override
  public boolean needsNoise(int step) {
    return sigma(step) > 0;
  }

  @Override
  public Optional<Linear> linear(int step) {
    if (needsNoise(step)) {
      return Optional.empty();
    }
    float signal = sqrt(signal(step));
    float noise = sqrt(1 - signal(step));
    float next = sqrt(next(step));
    float direction = direction(step);
    return Optional.of(
        switch (predicts) {
          case NOISE -> new Linear(1, -noise, signal, 0, next, direction, 0);
          case PICTURE ->
              new Linear(0, 1, 1, direction / noise, next, -(direction * signal / noise), 0);
          case VELOCITY ->
              new Linear(signal, -noise, 1, direction * noise, next, direction * signal, 0);
        });
  }

  @Override
  public void resume(int last, List<float[]> state) {}

  @Override
  public void step(int step, float[] x, Prediction prediction, float[] noise) {
    if (spacing.origin() == Spacing.Origin.DIFFUSERS) {
      stepAsDiffusers(step, x, prediction.output());
    } else {
      stepAsOpenAi(step, x, prediction.output());
    }
    float sigma = sigma(step);
    if (sigma > 0) {
      for (int i = 0; i < x.length; i++) {
        x[i] += sigma * noise[i];
      }
    }
  }

  /** diffusers {@code DDIMScheduler.step}, without its noise. */
  private void stepAsDiffusers(int step, float[] x, float[] output) {
    float signalRoot = sqrt(signal(step));
    float noiseRoot = sqrt(1 - signal(step));
    float nextRoot = sqrt(next(step));
    float direction = direction(step);
    for (int i = 0; i < x.length; i++) {
      float x0 = predicts.picture(signalRoot, noiseRoot, x[i], output[i]);
      float epsilon = predicts.noise(signalRoot, noiseRoot, x[i], output[i]);
      x[i] = nextRoot * x0 + direction * epsilon;
    }
  }

  /** OpenAI's {@code GaussianDiffusion.ddim_sample}, which derives the noise again from x0. */
  private void stepAsOpenAi(int step, float[] x, float[] output) {
    double signal = schedule.at(timesteps, step);
    float ofX = (float) Math.sqrt(1 / signal);
    float ofEpsilon = (float) Math.sqrt(1 / signal - 1);
    float nextRoot = sqrt(next(step));
    float direction = direction(step);
    for (int i = 0; i < x.length; i++) {
      float x0 = predicts.openAiPicture(ofX, ofEpsilon, x[i], output[i]);
      float again = (ofX * x[i] - x0) / ofEpsilon;
      x[i] = x0 * nextRoot + direction * again;
    }
  }

  private float signal(int step) {
    return (float) schedule.at(timesteps, step);
  }

  private float next(int step) {
    return (float)
        (spacing.origin() == Spacing.Origin.DIFFUSERS
            ? schedule.nextByStride(timesteps, step)
            : schedule.next(timesteps, step));
  }

  private float direction(int step) {
    float sigma = sigma(step);
    return sqrt(1 - next(step) - sigma * sigma);
  }

  private float sigma(int step) {
    float noiseLeft = (1 - next(step)) / (1 - signal(step));
    float noiseGone = 1 - signal(step) / next(step);
    return spacing.origin() == Spacing.Origin.DIFFUSERS
        ? eta * sqrt(noiseLeft * noiseGone)
        : eta * sqrt(noiseLeft) * sqrt(noiseGone);
  }

  private static float sqrt(float x) {
    return (float) Math.sqrt(x);
  }
}
