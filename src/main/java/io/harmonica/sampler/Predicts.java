package io.harmonica.sampler;

/**
 * What a model was trained to predict of a noisy sample {@code x = signal x0 + noise epsilon}, by
 * the names of diffusers' {@code prediction_type}; signal and noise are square roots of their
 * shares. In fp32 and in diffusers' order.
 */
public enum Predicts {
  /** The noise, as DiT and PixArt do (Ho et al., arXiv 2006.11239). */
  NOISE("epsilon") {
    @Override
    float picture(float signal, float noise, float x, float output) {
      return (x - noise * output) / signal;
    }

    @Override
    float noise(float signal, float noise, float x, float output) {
      return output;
    }

    @Override
    float openAiPicture(float ofX, float ofNoise, float x, float output) {
      return ofX * x - ofNoise * output;
    }
  },

  /** The finished picture. */
  PICTURE("sample") {
    @Override
    float picture(float signal, float noise, float x, float output) {
      return output;
    }

    @Override
    float noise(float signal, float noise, float x, float output) {
      return (x - signal * output) / noise;
    }

    @Override
    float openAiPicture(float ofX, float ofNoise, float x, float output) {
      return output;
    }
  },

  /** {@code v = signal epsilon - noise x0} (Salimans and Ho, arXiv 2202.00512, appendix D). */
  VELOCITY("v_prediction") {
    @Override
    float picture(float signal, float noise, float x, float output) {
      return signal * x - noise * output;
    }

    @Override
    float noise(float signal, float noise, float x, float output) {
      return signal * output + noise * x;
    }

    @Override
    float openAiPicture(float ofX, float ofNoise, float x, float output) {
      throw new IllegalStateException("OpenAI's code knows no velocity, and Sampler.of refuses it");
    }
  };

  private final String diffusers;

  Predicts(String diffusers) {
    this.diffusers = diffusers;
  }

  /** The picture x0 that an output means. */
  abstract float picture(float signal, float noise, float x, float output);

  /** The noise epsilon that an output means. */
  abstract float noise(float signal, float noise, float x, float output);

  /**
   * The picture in OpenAI's order, from {@code sqrt(1 / share)} and {@code sqrt(1 / share - 1)}.
   */
  abstract float openAiPicture(float ofX, float ofNoise, float x, float output);

  /**
   * The noise that outputs mean.
   *
   * @param signalShare cumulative signal share of the samples
   */
  public float[] noise(double signalShare, float[] x, float[] output) {
    float signal = (float) Math.sqrt(signalShare);
    float noise = (float) Math.sqrt(1 - signalShare);
    float[] epsilon = new float[x.length];
    for (int i = 0; i < x.length; i++) {
      epsilon[i] = noise(signal, noise, x[i], output[i]);
    }
    return epsilon;
  }

  /** By diffusers' name, as {@link #toString} has it. */
  public static Predicts of(String diffusers) {
    return Named.of(values(), diffusers, "prediction type");
  }

  @Override
  public String toString() {
    return diffusers;
  }
}
