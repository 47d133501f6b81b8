package io.harmonica.repository;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.router.Router;
import io.harmonica.router.Schedule;
import io.harmonica.router.Stretch;
import io.harmonica.sampler.Sampler;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Makes the programs of a model as its manifest has them: by the steps that go in one request. */
record WrittenPrograms(Manifest manifest) {

  /** Those of a router. */
  Map<Integer, JsonNode> of(Router router) {
    Schedule schedule = Schedule.of(router);
    List<List<Float>> numbers =
        manifest
            .sampling()
            .find(router.sampler(), router.timesteps())
            .map(this::numbers)
            .orElse(List.of());
    Map<Integer, JsonNode> written = new TreeMap<>();
    for (int size : sizes(manifest.steps().size(router.sampler(), manifest.stepsPerRequest()))) {
      Map<String, Stretch> ensembles =
          Program.ensembles(manifest.model(), router.name(), schedule, size);
      Program program = Program.of(schedule, size, manifest.branches(), ensembles);
      written.put(
          size, json(ProgramJson.of(program, manifest.branches(), router.timesteps(), numbers)));
    }
    return written;
  }

  /** Those of so many steps of the default sampler, with nothing reused; none if it takes fewer. */
  Map<Integer, JsonNode> uncached(int steps) {
    Sampler sampler;
    try {
      sampler = manifest.sampling().sampler(manifest.sampler(), steps, Optional.empty());
    } catch (IllegalArgumentException e) {
      return Map.of(); // trained on fewer timesteps
    }
    List<List<Float>> numbers = numbers(sampler);
    Map<Integer, JsonNode> written = new TreeMap<>();
    for (int size : sizes(numbers.isEmpty() ? 1 : manifest.stepsPerRequest())) {
      Program program = Program.uncached(manifest.model(), steps, size);
      written.put(
          size, json(ProgramJson.of(program, manifest.branches(), sampler.timesteps(), numbers)));
    }
    return written;
  }

  private static Set<Integer> sizes(int most) {
    return new TreeSet<>(List.of(1, most));
  }

  private static JsonNode json(ProgramJson program) {
    return Manifest.JSON.valueToTree(program);
  }

  /** Of each step of a sampler; none where not every step is numbers. */
  private List<List<Float>> numbers(Sampler sampler) {
    List<List<Float>> numbers = new ArrayList<>();
    for (int step = 0; step < sampler.timesteps().size(); step++) {
      Optional<float[]> own = manifest.steps().numbers(sampler, step);
      if (own.isEmpty()) {
        return List.of();
      }
      List<Float> row = new ArrayList<>();
      for (float number : own.get()) {
        row.add(number);
      }
      numbers.add(row);
    }
    return numbers;
  }
}
