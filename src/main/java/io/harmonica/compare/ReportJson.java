package io.harmonica.compare;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Arrays;

/** The report as JSON; a number that does not exist is null. */
final class ReportJson {
  private ReportJson() {}

  static ObjectNode of(Report report) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    Rounds rounds = report.plan().rounds();
    root.put("title", report.title())
        .put("summary", report.summary())
        .put("command", report.command())
        .put("rounds", report.rounds())
        .put("plannedRounds", rounds.count())
        .put("warmUpRounds", report.outcome().warmUps())
        .put("warmUpStable", report.outcome().stable())
        .put("interrupted", report.outcome().interrupted())
        .put("picturesPerRound", report.plan().subjects().perRound())
        .put("seed", rounds.seed());
    root.putObject("load")
        .put("inFlight", rounds.load().inFlight())
        .put("perSecond", rounds.load().perSecond());
    number(root, "overhead", report.outcome().overhead());
    Machine machine = report.machine();
    root.putObject("machine")
        .put("cpu", machine.cpu())
        .put("cores", machine.cores())
        .put("memoryBytes", machine.memoryBytes())
        .put("os", machine.os())
        .put("jdk", machine.jdk())
        .put("runtime", machine.runtime());
    report.notes().forEach(root.putArray("notes")::add);
    ArrayNode gates = root.putArray("gates");
    for (Gate.Verdict verdict : report.verdicts()) {
      gates
          .addObject()
          .put("failIf", verdict.expression())
          .put("fired", verdict.fired())
          .put("values", verdict.values());
    }
    ArrayNode array = root.putArray("variants");
    report.variants().forEach(entry -> add(array.addObject(), entry));
    return root;
  }

  private static void add(ObjectNode node, Report.Entry entry) {
    node.put("key", entry.key())
        .put("name", entry.name())
        .put("description", entry.description())
        .put("rounds", entry.measurement().turns().size());
    entry.measurement().fault().ifPresent(fault -> node.put("fault", fault));
    ObjectNode settings = node.putObject("settings");
    entry.setting().fields().forEach(settings::put);
    Field.ALL.forEach(
        (name, field) -> {
          if (entry.judgement().isPresent() || !Field.needsFeatures(name)) {
            String[] parts = name.split("\\.");
            ObjectNode in = parts.length == 1 ? node : node.withObject("/" + parts[0]);
            number(in, parts[parts.length - 1], field.of(entry));
          }
        });
    entry.judgement().ifPresent(j -> node.withObject("/frechet").put("to", j.to()));
    ObjectNode split = node.putObject("timeMillis");
    entry
        .split()
        .millis()
        .forEach((part, millis) -> number(split, part.label().replace(' ', '_'), millis));
    ArrayNode times = node.putArray("roundMillis");
    Arrays.stream(entry.measurement().timesNanos()).forEach(t -> times.add(rounded(t / 1e6)));
  }

  private static void number(ObjectNode in, String name, double value) {
    if (name.endsWith("Bytes") && Double.isFinite(value)) {
      in.put(name, (long) value);
    } else if (Double.isFinite(value)) {
      in.put(name, rounded(value));
    } else {
      in.putNull(name);
    }
  }

  private static double rounded(double value) {
    return Math.round(value * 1e4) / 1e4; // more digits are noise
  }
}
