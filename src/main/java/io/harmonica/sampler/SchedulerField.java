package io.harmonica.sampler;

import static java.util.stream.Collectors.joining;

import java.util.List;

/**
 * What is done with a field of a scheduler's file. For example {@code steps_offset}: 0 is followed,
 * and any value is inert where {@code timestep_spacing} is not {@code leading}.
 *
 * @param absent diffusers' own value where a file does not have it
 * @param kind whether it changes what is drawn
 * @param values that are followed; with {@link Kind#ANY} empty
 * @param inert where it changes nothing, whatever its value; null: nowhere
 */
record SchedulerField(String name, String absent, Kind kind, List<String> values, Inert inert) {

  enum Kind {
    /** Every value is followed. */
    ANY,
    /** Some are followed, others refused. */
    SOME,
    /** It changes nothing, given the other fields that are followed. */
    INERT,
    /** A bound on the timesteps' log-SNR: inert where none lies below it, else refused. */
    BOUND
  }

  /** Where another field has, or does not have, a value. */
  record Inert(String field, boolean is, String value) {}

  static SchedulerField any(String name, String absent) {
    return new SchedulerField(name, absent, Kind.ANY, List.of(), null);
  }

  /** Of the values that follow, the first is the one of a file without the field. */
  static SchedulerField some(String name, String... values) {
    return new SchedulerField(name, values[0], Kind.SOME, List.of(values), null);
  }

  static SchedulerField inert(String name, String absent) {
    return new SchedulerField(name, absent, Kind.INERT, List.of(), null);
  }

  static SchedulerField bound(String name, String absent) {
    return new SchedulerField(name, absent, Kind.BOUND, List.of(), null);
  }

  SchedulerField absent(String other) {
    return new SchedulerField(name, other, kind, values, inert);
  }

  SchedulerField inertWhere(String field, String value) {
    return new SchedulerField(name, absent, kind, values, new Inert(field, true, value));
  }

  SchedulerField inertUnless(String field, String value) {
    return new SchedulerField(name, absent, kind, values, new Inert(field, false, value));
  }

  /** What is done, as the documents say it. */
  String treatment() {
    String text =
        switch (kind) {
          case ANY -> "followed";
          case SOME ->
              values.stream().map("`%s`"::formatted).collect(joining(", "))
                  + " followed, else refused";
          case INERT -> "inert";
          case BOUND -> "inert where no timestep lies below it, else refused";
        };
    return inert == null
        ? text
        : "%s; inert where `%s` is %s`%s`"
            .formatted(text, inert.field, inert.is ? "" : "not ", inert.value);
  }
}
