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
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.stream.IntStream;

/**
 * {@code harmonica generate --count N}: many pictures, each a request and a file of its own, so
 * that a run that was broken off goes on where it stopped. Files appear whole or not at all.
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
   */
  public Done run(ObjectNode settings, int concurrency, BooleanSupplier stop) {
    claim(settings);
    List<Integer> missing =
        IntStream.range(0, count).filter(i -> !Files.exists(file(i))).boxed().toList();
    Iterator<InFlight.Job<Integer>> jobs =
        missing.stream().map(i -> new InFlight.Job<>(i, request(i))).iterator();
    AtomicInteger made = new AtomicInteger();
    int found = count - missing.size();
    try {
      new InFlight(pipeline, concurrency)
          .run(
              jobs,
              (i, result) -> {
                write(i, result);
                made.incrementAndGet();
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

  private Request request(int i) {
    int subject = i % subjects();
    return request
        .withContent(request.content().rows(subject, subject + 1))
        .withSeed(request.seed() + i);
  }

  private Path file(int i) {
    String subject = request.content().name(i % subjects());
    String kind = pipeline.drawsPictures() ? "png" : "safetensors";
    return out.resolve(String.format(Locale.ROOT, "%04d-%s.%s", i, subject, kind));
  }

  private void write(int i, Result result) {
    Latents latents = result.latents();
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
