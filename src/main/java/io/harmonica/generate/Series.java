package io.harmonica.generate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * Many pictures in a folder, each a file of its own, so that a run that was broken off goes on
 * where it stopped. Files appear whole or not at all. Neighbours go as one request: a pass over
 * several pictures costs less than one for each.
 *
 * @param request of all subjects; picture i takes subject i, counted round, and seed + i
 */
public record Series(Pipeline pipeline, Request request, int count, Path out) {

  /** Says what the pictures in a folder are of: others do not mix with them. */
  private static final String NOTE = "run.json";

  /** What was done. */
  public record Done(int made, int found) {}

  /**
   * Makes the pictures that are not there yet.
   *
   * @param settings that decide what they look like, as typed
   * @param concurrency requests in flight
   * @param batch pictures of a request; empty: as many as go together and leave so many in flight
   */
  public Done run(
      ObjectNode settings, int concurrency, Optional<Integer> batch, BooleanSupplier stop) {
    claim(settings);
    List<Integer> missing =
        IntStream.range(0, count).filter(i -> !Files.exists(file(i))).boxed().toList();
    int most = batch.orElseGet(() -> batch(missing.size(), concurrency));
    Iterator<InFlight.Job<List<Integer>>> jobs =
        neighbours(missing, most).stream()
            .map(some -> new InFlight.Job<>(some, request(some)))
            .iterator();
    AtomicInteger made = new AtomicInteger();
    int found = count - missing.size();
    try {
      new InFlight(pipeline, concurrency)
          .run(
              jobs,
              (some, result) -> {
                for (int k = 0; k < some.size(); k++) {
                  write(some.get(k), result.latents().rows(k, k + 1));
                  made.incrementAndGet();
                }
              },
              stop);
    } catch (HarmonicaException e) {
      throw new HarmonicaException(
          "%s; %d of %d pictures are in %s: run it again to go on"
              .formatted(e.getMessage(), found + made.get(), count, out),
          e);
    }
    return new Done(made.get(), found);
  }

  private int subjects() {
    return request.count();
  }

  private int batch(int pictures, int concurrency) {
    int together = pipeline.manifest().maxBatch() / pipeline.rows(request.style());
    int each = (pictures + concurrency - 1) / concurrency;
    return Math.max(1, Math.min(together, each));
  }

  /** Some at a time, whose numbers follow on each other, as their seeds do. */
  private static List<List<Integer>> neighbours(List<Integer> pictures, int most) {
    List<List<Integer>> all = new ArrayList<>();
    int from = 0;
    for (int to = 1; to <= pictures.size(); to++) {
      if (to == pictures.size()
          || to - from == most
          || pictures.get(to) != pictures.get(to - 1) + 1) {
        all.add(pictures.subList(from, to));
        from = to;
      }
    }
    return all;
  }

  private Request request(List<Integer> pictures) {
    return request
        .withContent(request.content().select(pictures.stream().map(i -> i % subjects()).toList()))
        .withSeed(request.seed() + pictures.get(0));
  }

  private Path file(int i) {
    String subject = request.content().name(i % subjects());
    String kind = pipeline.drawsPictures() ? "png" : "safetensors";
    return out.resolve(String.format(Locale.ROOT, "%04d-%s.%s", i, subject, kind));
  }

  private void write(int i, Latents latents) {
    if (pipeline.drawsPictures()) {
      Png.write(Pictures.of(pipeline.decode(latents)).get(0), file(i));
    } else {
      try {
        TensorFiles.save(latents, file(i));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /** Notes the settings in the folder, or holds them against those that are noted there. */
  private void claim(ObjectNode settings) {
    settings.put("digest", pipeline.manifest().digest());
    settings.put("noise", Noise.KIND);
    Path note = out.resolve(NOTE);
    try {
      if (!Files.exists(note)) {
        AtomicFile.write(note, (settings.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8));
        return;
      }
      JsonNode before = new ObjectMapper().readTree(Files.readAllBytes(note));
      for (var setting : settings.properties()) {
        JsonNode there = before.path(setting.getKey());
        if (!setting.getValue().equals(there)) {
          throw new HarmonicaException(
              "`out` %s holds pictures of another run (%s is %s there, %s here): name another folder"
                  .formatted(
                      out,
                      setting.getKey(),
                      there.isMissingNode() ? "not stated" : there,
                      setting.getValue()));
        }
      }
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          "%s is no note of a run: name another folder by `out`".formatted(note), e);
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(note, AtomicFile.reason(e)), e);
    }
  }
}
