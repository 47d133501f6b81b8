package io.harmonica.sampler;

import static io.harmonica.sampler.SchedulerField.any;
import static io.harmonica.sampler.SchedulerField.some;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * Reads diffusers' scheduler of flows, {@code FlowMatchEulerDiscreteScheduler}; a shift that
 * depends on a picture's tokens is worked out for the model's own, as FLUX's pipeline does ({@code
 * calculate_shift}).
 */
final class FlowScheduler {
  static final String TYPE = "FlowMatchEulerDiscreteScheduler";
  private static final String DYNAMIC = "use_dynamic_shifting";

  /** All that its constructor takes. */
  static final List<SchedulerField> FIELDS =
      List.of(
          any("num_train_timesteps", "1000"),
          any("shift", "1.0").inertUnless(DYNAMIC, "false"),
          some(DYNAMIC, "false", "true"),
          any("base_shift", "0.5").inertUnless(DYNAMIC, "true"),
          any("max_shift", "1.15").inertUnless(DYNAMIC, "true"),
          any("base_image_seq_len", "256").inertUnless(DYNAMIC, "true"),
          any("max_image_seq_len", "4096").inertUnless(DYNAMIC, "true"),
          some("time_shift_type", "exponential", "linear"),
          any("shift_terminal", "null"),
          some("invert_sigmas", "false"),
          some("use_karras_sigmas", "false"),
          some("use_exponential_sigmas", "false"),
          some("use_beta_sigmas", "false"),
          some("stochastic_sampling", "false"));

  private FlowScheduler() {}

  /**
   * What a file says.
   *
   * @param flow the model's without it
   * @param origin how the model's pipeline asks for sigmas, which no file says
   */
  static Scheduler read(SchedulerFile file, Flow flow, Spacing origin) {
    file.requireKnown();
    Flow says =
        new Flow(
            file.trainTimesteps(),
            flow.tokens(),
            file.text(DYNAMIC, "false").equals("true") ? dynamic(file, flow.tokens()) : fixed(file),
            terminal(file));
    for (SchedulerField field : FIELDS) {
      Optional<String> refusal = file.refusal(field, FIELDS);
      if (refusal.isPresent()) {
        String remedy = "%s; state `sampler` %s, which then draws with this file's shift";
        return new Scheduler(
            says, null, null, Optional.of(remedy.formatted(refusal.get(), Flow.SAMPLER)));
      }
    }
    return new Scheduler(
        says, Flow.SAMPLER, Sampler.spacing(Flow.SAMPLER, origin), Optional.empty());
  }

  private static Flow.Shift fixed(SchedulerFile file) {
    return new Flow.Shift(Flow.ShiftType.CONSTANT, positive(file, "shift", 1));
  }

  /** A line through two points of tokens and shift, beyond them too. */
  private static Flow.Shift dynamic(SchedulerFile file, int tokens) {
    double fewest = positive(file, "base_image_seq_len", 256);
    double most = positive(file, "max_image_seq_len", 4096);
    file.require(most > fewest, "max_image_seq_len", "more than base_image_seq_len");
    double low = finite(file, "base_shift", 0.5);
    double high = finite(file, "max_shift", 1.15);
    double slope = (high - low) / (most - fewest);
    double mu = tokens * slope + (low - slope * fewest);
    boolean linear = file.text("time_shift_type", "exponential").equals("linear");
    file.require(
        !linear || mu > 0,
        "base_shift",
        "one that gives %d tokens a shift above 0".formatted(tokens));
    return new Flow.Shift(linear ? Flow.ShiftType.LINEAR : Flow.ShiftType.EXPONENTIAL, mu);
  }

  /** diffusers takes 0 for none. */
  private static OptionalDouble terminal(SchedulerFile file) {
    if (file.text("shift_terminal", "null").equals("null")) {
      return OptionalDouble.empty();
    }
    double terminal = file.number("shift_terminal", 0);
    file.require(terminal >= 0 && terminal < 1, "shift_terminal", "null or a number below 1");
    return terminal == 0 ? OptionalDouble.empty() : OptionalDouble.of(terminal);
  }

  private static double positive(SchedulerFile file, String field, double absent) {
    double value = finite(file, field, absent);
    file.require(value > 0, field, "a number above 0");
    return value;
  }

  private static double finite(SchedulerFile file, String field, double absent) {
    double value = file.number(field, absent);
    file.require(Double.isFinite(value), field, "a number");
    return value;
  }
}
