package io.harmonica.repository;

import io.harmonica.sampler.AnyTime;
import io.harmonica.sampler.Linear;
import io.harmonica.sampler.Noising;
import io.harmonica.sampler.Sampler;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The form of a repository's sampler engine, which makes the sampler's step between two steps of
 * one request: whose steps it makes, and in which numbers it takes them. The one place that knows
 * older repositories' forms.
 */
public enum SamplerForm {
  /**
   * DDIM only, four numbers a step: {@code x0 = (x - n[0] e) / n[1], x' = n[2] x0 + n[3] e}. Of
   * repositories whose manifest names no step engine.
   */
  DDIM("ddim", List.of("ddim"), List.of(), 4) {
    @Override
    public Optional<float[]> numbers(Sampler sampler, int step) {
      return sampler.linear(step).filter(s -> !needsState(sampler)).map(SamplerForm::four);
    }
  },

  /**
   * The first seven numbers of a {@link Linear}, for samplers with one evaluation an update. It
   * hands on the picture, as {@code state}.
   */
  LINEAR(
      Names.engine(Role.of(Role.Kind.SAMPLER)),
      Sampler.LINEAR.stream().filter(name -> !Sampler.ANY_TIME.contains(name)).toList(),
      List.of(Names.STATE),
      7) {
    @Override
    public Optional<float[]> numbers(Sampler sampler, int step) {
      return sampler
          .linear(step)
          .filter(linear -> !linear.isWithin())
          .map(linear -> Arrays.copyOf(linear.numbers(), takes()));
    }
  },

  /**
   * Any {@link Linear}, those of updates with several evaluations too. It hands on, or keeps,
   * picture and sample of an update's start, as {@code state} and {@code start}.
   */
  SINGLESTEP(
      Names.engine(Role.of(Role.Kind.SAMPLER)),
      Sampler.LINEAR,
      List.of(Names.STATE, Names.START),
      10) {
    @Override
    public Optional<float[]> numbers(Sampler sampler, int step) {
      return sampler.linear(step).map(Linear::numbers);
    }
  };

  /** The one to export for models of a kind: no more than their samplers need. */
  public static SamplerForm of(Noising noising) {
    return noising instanceof AnyTime ? SINGLESTEP : LINEAR;
  }

  private static boolean needsState(Sampler sampler) {
    return IntStream.range(0, sampler.timesteps().size())
        .anyMatch(step -> sampler.linear(step).filter(Linear::readsState).isPresent());
  }

  /** Predicted noise fits as it is; another output by the whole step as two numbers. */
  private static float[] four(Linear step) {
    if (step.pictureOfSample() == 1 && step.ofSample() == 0) {
      return new float[] {
        -step.pictureOfOutput(), step.pictureDivisor(), step.ofPicture(), step.ofOutput()
      };
    }
    double ofPicture = step.ofPicture() / step.pictureDivisor();
    return new float[] {
      0,
      1,
      (float) (step.ofSample() + ofPicture * step.pictureOfSample()),
      (float) (step.ofOutput() + ofPicture * step.pictureOfOutput())
    };
  }

  private final String suffix;
  private final List<String> samplers;
  private final List<String> states;
  private final int takes;

  SamplerForm(String suffix, List<String> samplers, List<String> states, int takes) {
    this.suffix = suffix;
    this.samplers = samplers;
    this.states = states;
    this.takes = takes;
  }

  /** A step as it takes it; empty where it cannot make it. */
  public abstract Optional<float[]> numbers(Sampler sampler, int step);

  /** The samplers whose steps it makes, as long as they add no noise. */
  public List<String> samplers() {
    return samplers;
  }

  /**
   * What it takes of earlier steps, beside the sample, and gives for later ones: as many as there
   * are, of a stepper's {@code state}.
   */
  public List<String> states() {
    return states;
  }

  /** How many numbers a step is to it. */
  public int takes() {
    return takes;
  }

  /**
   * Steps that may go in one request of a router: so many as were exported, where it makes its
   * sampler's steps, else one.
   */
  public int size(String sampler, int exported) {
    return samplers.contains(sampler) ? exported : 1;
  }

  /** The engine of a model. */
  public String engine(String model) {
    return model + "-" + suffix;
  }

  /** As the manifest has it; null: the older one. */
  static SamplerForm of(String written) {
    return written == null ? DDIM : valueOf(written.toUpperCase(Locale.ROOT));
  }

  /** As the manifest has it. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
