package io.harmonica.compare;

import io.harmonica.repository.Role;
import io.harmonica.runtime.Statistics;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;

/**
 * Where the time of a request goes, in milliseconds a request. In this process each engine's time
 * is taken around its call; of a Triton server it is what the server's own statistics say, which
 * count other clients too. Requests that compete for the machine wait inside these parts. An
 * engine's execution of several requests in one batch counts once; what each of them waited for it
 * besides is queue.
 */
public record TimeSplit(Map<Part, Double> millis) {

  /** A part, in the order in which a request passes through them. */
  public enum Part {
    WAITING("waiting", "due, but not yet sent"),
    TRANSFER("transfer", "messages: writing, sending and reading them"),
    QUEUE("server queue", "requests to engines that wait on the server, or share a batch's time"),
    EMBED("embed", "the engines of tokens and condition"),
    BLOCKS("blocks", "the engines of blocks, or of whole steps"),
    HEAD("head", "the head engine"),
    HANDING_ON("handing on", "from engine to engine, within the runtime"),
    LOOP("sampler and guidance", "the denoising loop of this process, or its engine on the server");

    private final String label;
    private final String meaning;

    Part(String label, String meaning) {
      this.label = label;
      this.meaning = meaning;
    }

    public String label() {
      return label;
    }

    public String meaning() {
      return meaning;
    }
  }

  public TimeSplit {
    millis = Collections.unmodifiableMap(new EnumMap<>(millis));
  }

  /**
   * Splits what was measured.
   *
   * @param roles of the engines and ensembles that the requests ran, by name; what others did on
   *     the server is not counted
   */
  static TimeSplit of(Measurement measurement, Map<String, Role> roles) {
    Tally tally = new Tally(roles);
    measurement.turns().forEach(tally::add);
    return tally.split();
  }

  public double totalMillis() {
    return millis.values().stream().mapToDouble(Double::doubleValue).sum();
  }

  private static final class Tally {
    private final Map<String, Role> roles;
    private final Map<Part, Double> nanos = new EnumMap<>(Part.class);
    private int requests;

    Tally(Map<String, Role> roles) {
      this.roles = roles;
      for (Part part : Part.values()) {
        nanos.put(part, 0.0);
      }
    }

    void add(Turn turn) {
      requests += turn.samples().size();
      double elapsed = turn.samples().stream().mapToLong(Variant.Sample::elapsedNanos).sum();
      double runtime = turn.samples().stream().mapToLong(Variant.Sample::runtimeNanos).sum();
      double due = Arrays.stream(turn.latenciesNanos()).sum();
      add(Part.WAITING, due - elapsed);
      add(Part.LOOP, elapsed - runtime);
      double ensembles = 0;
      double engines = 0;
      for (Map.Entry<String, Statistics.Model> entry : turn.spent().models().entrySet()) {
        Statistics.Model spent = entry.getValue();
        Role role = roles.get(entry.getKey());
        if (role == null) {
          continue;
        }
        if (role.isCall() || role.kind() == Role.Kind.PICTURE) {
          ensembles += spent.totalNanos();
        } else {
          add(part(role), spent.computeNanos());
          add(Part.QUEUE, spent.queueNanos());
          engines += spent.computeNanos() + spent.queueNanos();
        }
      }
      boolean served = ensembles > 0;
      add(Part.TRANSFER, served ? runtime - ensembles : 0);
      add(Part.HANDING_ON, (served ? ensembles : runtime) - engines);
    }

    private static Part part(Role engine) {
      return switch (engine.kind()) {
        case EMBED, CONDITION -> Part.EMBED;
        case HEAD -> Part.HEAD;
        case SAMPLER, BEGIN, END -> Part.LOOP;
        default -> Part.BLOCKS;
      };
    }

    private void add(Part part, double more) {
      nanos.merge(part, more, Double::sum);
    }

    TimeSplit split() {
      nanos.replaceAll((part, sum) -> Math.max(0, sum) / Math.max(1, requests) / 1e6);
      return new TimeSplit(nanos);
    }
  }
}
