package io.harmonica.results;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.features.Estimate;
import io.harmonica.picture.Latents;
import io.harmonica.runtime.OnnxFile;
import io.harmonica.runtime.OnnxFile.Values;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Scenes that were never trained, with their captions, and whether pictures show them: a port of
 * {@code export/scenes-pixart-training/agree.py}.
 *
 * @param size of pictures, in pixels
 */
record HeldOut(int size, List<Scene> scenes) {
  /** As {@code captions.py} writes it. */
  static final Path FILE = Path.of("export/scenes-features/held-out.json");

  /** A centre's score from which it is a shape. */
  private static final double SURE = 0.3;

  private static final int AT_ONCE = 100;

  /** Equal shapes that a caption names; colour and shape by the network's numbers. */
  record Group(int count, int colour, int shape) {}

  /** A shape that the network sees; its centre in pixels, y downwards. */
  record Seen(double x, double y, int colour, int shape) {}

  /**
   * What a caption says.
   *
   * @param second the other side of a relation, else empty
   * @param relation {@code x<} where the first side is left of the second, {@code y>} where below
   * @param place column and row, -1, 0 or 1, of the one group
   */
  record Scene(
      String caption,
      List<Group> first,
      List<Group> second,
      Optional<String> relation,
      Optional<List<Integer>> place,
      Optional<Integer> background) {

    /** Whether all of it is true of what was seen. */
    boolean isTrueOf(List<Seen> seen, int ground, int size) {
      List<Group> wanted =
          Stream.concat(first.stream(), second.stream())
              .flatMap(group -> IntStream.range(0, group.count).mapToObj(i -> one(group)))
              .sorted(ORDER)
              .toList();
      List<Group> found =
          seen.stream().map(s -> new Group(1, s.colour, s.shape)).sorted(ORDER).toList();
      return wanted.equals(found)
          && relation.map(how -> isInOrder(seen, how)).orElse(true)
          && place.map(where -> isAt(where, seen.get(0), size)).orElse(true)
          && background.map(said -> said == ground).orElse(true);
    }

    private static final Comparator<Group> ORDER =
        Comparator.comparingInt(Group::colour).thenComparingInt(Group::shape);

    private static Group one(Group group) {
      return new Group(1, group.colour, group.shape);
    }

    private boolean isInOrder(List<Seen> seen, String how) {
      boolean across = how.charAt(0) == 'x';
      double[] own = along(seen, first, across);
      double[] other = along(seen, second, across);
      double[] low = how.charAt(1) == '<' ? own : other;
      double[] high = low == own ? other : own;
      return Arrays.stream(low).max().orElseThrow() < Arrays.stream(high).min().orElseThrow();
    }

    private static double[] along(List<Seen> seen, List<Group> side, boolean across) {
      return seen.stream()
          .filter(s -> side.stream().anyMatch(g -> g.colour == s.colour && g.shape == s.shape))
          .mapToDouble(s -> across ? s.x : s.y)
          .toArray();
    }

    private static boolean isAt(List<Integer> where, Seen one, int size) {
      return where.equals(List.of(third(one.x, size), third(one.y, size)));
    }

    private static int third(double value, int size) {
      return Math.max(0, Math.min(2, (int) Math.floor(value / size * 3))) - 1;
    }
  }

  static HeldOut read(Path file) {
    try {
      JsonNode all = new JsonMapper().readTree(Files.readString(file));
      List<Scene> scenes = new ArrayList<>();
      all.required("scenes").forEach(one -> scenes.add(scene(one)));
      return new HeldOut(all.required("size").asInt(), List.copyOf(scenes));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Scene scene(JsonNode one) {
    return new Scene(
        one.required("caption").asText(),
        groups(one.path("first")),
        groups(one.path("second")),
        Optional.of(one.path("relation").asText()).filter(said -> !said.isEmpty()),
        one.has("place") ? Optional.of(numbers(one.get("place"))) : Optional.empty(),
        one.has("background") ? Optional.of(one.get("background").asInt()) : Optional.empty());
  }

  private static List<Group> groups(JsonNode side) {
    List<Group> groups = new ArrayList<>();
    for (JsonNode group : side) {
      List<Integer> numbers = numbers(group);
      groups.add(new Group(numbers.get(0), numbers.get(1), numbers.get(2)));
    }
    return groups;
  }

  private static List<Integer> numbers(JsonNode array) {
    List<Integer> numbers = new ArrayList<>();
    array.forEach(number -> numbers.add(number.asInt()));
    return numbers;
  }

  /** The share of pictures that show their scenes, in the order of these, by the network. */
  Estimate accuracy(Path network, Latents pictures) {
    int right = 0;
    try (OnnxFile file = OnnxFile.open(network)) {
      for (int from = 0; from < pictures.count(); from += AT_ONCE) {
        int count = Math.min(AT_ONCE, pictures.count() - from);
        right += right(file, pictures, from, count);
      }
    }
    return Estimate.share(right, pictures.count());
  }

  private int right(OnnxFile network, Latents pictures, int from, int count) {
    int picture = pictures.sampleSize();
    float[] values =
        Arrays.copyOfRange(pictures.values(), from * picture, (from + count) * picture);
    for (int i = 0; i < values.length; i++) {
      values[i] = Math.max(-1, Math.min(1, values[i]));
    }
    long[] shape = {count, pictures.channels(), pictures.height(), pictures.width()};
    Map<String, Values> saw =
        network.run("pictures", new Values(values, shape), Set.of("objects", "background"));
    int right = 0;
    for (int i = 0; i < count; i++) {
      Scene scene = scenes.get(from + i);
      right += scene.isTrueOf(seen(saw.get("objects"), i), ground(saw, i), size) ? 1 : 0;
    }
    return right;
  }

  /** Rows of score, x, y, radius, colour, shape. */
  private static List<Seen> seen(Values objects, int picture) {
    int rows = (int) objects.shape()[1];
    int width = (int) objects.shape()[2];
    List<Seen> seen = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      int at = (picture * rows + row) * width;
      float[] of = objects.values();
      if (of[at] > SURE) {
        seen.add(new Seen(of[at + 1], of[at + 2], (int) of[at + 4], (int) of[at + 5]));
      }
    }
    return seen;
  }

  private static int ground(Map<String, Values> saw, int picture) {
    Values logits = saw.get("background");
    int width = (int) logits.shape()[1];
    return IntStream.range(0, width)
        .reduce(
            (a, b) ->
                logits.values()[picture * width + b] > logits.values()[picture * width + a] ? b : a)
        .orElseThrow();
  }
}
