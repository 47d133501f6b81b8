package io.harmonica.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.harmonica.HarmonicaException;
import io.harmonica.Links;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds the weights in a folder as diffusers and transformers name them. */
final class WeightsFolder {
  private static final String CONFIG = "config.json";

  /** Stem, variant (fp16, ema, ...), type, and what marks the index of shards. */
  private static final Pattern WEIGHTS =
      Pattern.compile(
          "(?<stem>[\\w-]+)(\\.(?<variant>[\\w-]+))?\\.(?<type>safetensors|bin|pt|pth)"
              + "(\\.index(\\.(?<indexvariant>[\\w-]+))?\\.json)?");

  private static final Pattern KNOWN_STEM =
      Pattern.compile("diffusion_pytorch_model|pytorch_model|model");
  private static final int DEAD = 64; // worse than anything that is there

  /** One set of weights in the folder; the lower the rank, the better. Of shards, the first. */
  private record Candidate(Path file, int rank) {}

  private WeightsFolder() {}

  static Checkpoint open(Path folder) {
    Path file = weights(folder);
    Optional<JsonNode> config = config(file);
    return new ConfiguredCheckpoint(folder, config, Unwrapped.of(openWeights(file)));
  }

  static Checkpoint openFile(Path file) {
    if (!Links.exists(file)) {
      throw new HarmonicaException(file + " does not exist: check the path");
    }
    Optional<JsonNode> config = config(file);
    return new ConfiguredCheckpoint(file, config, Unwrapped.of(openWeights(file)));
  }

  /** The file, or all that it stands for. */
  private static Checkpoint openWeights(Path file) {
    String name = file.getFileName().toString();
    if (name.endsWith(".json") && WEIGHTS.matcher(name).matches()) {
      return ShardedCheckpoint.open(file);
    }
    Optional<Shard> shard = Shard.of(name);
    return shard.isPresent()
        ? ShardedCheckpoint.open(shard.get().in(file.toAbsolutePath().getParent()))
        : openSingle(file);
  }

  /** The file alone, by its extension. */
  static Checkpoint openSingle(Path file) {
    String name = file.getFileName().toString();
    if (name.endsWith(".safetensors")) {
      return SafetensorsFile.open(file);
    }
    if (isTorch(name)) {
      return TorchCheckpoint.open(file);
    }
    throw new HarmonicaException(
        file
            + " is not a checkpoint by its name: give a diffusers folder, or a .safetensors,"
            + " .safetensors.index.json, .bin, .pt or .pth file");
  }

  private static boolean isTorch(String name) {
    return name.endsWith(".bin") || name.endsWith(".pt") || name.endsWith(".pth");
  }

  private static Optional<JsonNode> config(Path weights) {
    String name = weights.getFileName().toString();
    Path config = weights.resolveSibling(CONFIG);
    boolean original = name.endsWith(".pt") || name.endsWith(".pth"); // needs no config beside it
    return original || !Links.exists(config)
        ? Optional.empty()
        : Optional.of(JsonFile.readObject(config));
  }

  private static Path weights(Path folder) {
    List<Candidate> candidates;
    try (Stream<Path> files = Files.list(folder)) {
      candidates =
          files
              .filter(file -> Files.isRegularFile(file) || Links.isGone(file))
              .map(WeightsFolder::candidate)
              .flatMap(Optional::stream)
              .distinct()
              .sorted(Comparator.comparingInt(Candidate::rank).thenComparing(Candidate::file))
              .toList();
    } catch (IOException e) {
      throw Messages.unreadable(folder, e);
    }
    if (candidates.isEmpty()) {
      String hint =
          Files.isDirectory(folder.resolve("transformer"))
              ? "; it looks like a whole pipeline: give " + folder.resolve("transformer")
              : ": give a folder with diffusion_pytorch_model.safetensors, or a weights file";
      throw new HarmonicaException(folder + " holds no weights" + hint);
    }
    int best = candidates.get(0).rank();
    List<String> equals =
        candidates.stream()
            .filter(c -> c.rank() == best)
            .map(c -> c.file().getFileName().toString())
            .toList();
    if (equals.size() > 1) {
      throw new HarmonicaException(
          "%s holds several sets of weights (%s): name the file to use instead of the folder"
              .formatted(folder, Messages.some(equals)));
    }
    return candidates.get(0).file();
  }

  /**
   * Known names before others, whole files and indices before shards alone, safetensors before
   * torch files, plain files before variants.
   */
  private static Optional<Candidate> candidate(Path file) {
    String name = file.getFileName().toString();
    Optional<Shard> shard = name.endsWith(".json") ? Optional.empty() : Shard.of(name);
    Matcher weights = WEIGHTS.matcher(shard.map(Shard::whole).orElse(name));
    if (!weights.matches()) {
      return Optional.empty();
    }
    boolean plain = weights.group("variant") == null && weights.group("indexvariant") == null;
    int rank =
        (KNOWN_STEM.matcher(weights.group("stem")).matches() ? 0 : 32)
            + (shard.isPresent() ? 16 : 0)
            + List.of("safetensors", "bin", "pt", "pth").indexOf(weights.group("type")) * 2
            + (plain ? 0 : 1);
    return Optional.of(
        shard
            .map(of -> new Candidate(file.resolveSibling(of.first()), rank))
            .orElseGet(() -> new Candidate(file, rank + (Links.isGone(file) ? DEAD : 0))));
  }
}
