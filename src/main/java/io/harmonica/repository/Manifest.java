package io.harmonica.repository;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.harmonica.HarmonicaException;
import io.harmonica.model.Branch;
import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import io.harmonica.model.Pruned;
import io.harmonica.model.Shows;
import io.harmonica.model.StreamLives;
import io.harmonica.model.Unconditional;
import io.harmonica.repository.proto.ModelConfig;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Everything that a client must know of an exported model, kept as JSON in parameter {@value #KEY}
 * of the base ensemble's configuration: a client needs a repository or an address, and the model's
 * name.
 *
 * @param format {@value #FORMAT}
 * @param architecture of the model, as routers name it
 * @param channels of a sample; a prediction has {@code outputChannels}
 * @param pixelsPerElement side of the square of pixels that an element of a sample stands for
 * @param picture size in pixels that finished pictures are resized and cropped to; null where they
 *     stay as they are
 * @param classes number of labels; 0 for a model that takes text, or is told nothing
 * @param nullClass false where there is no null class to guide away from; else null, and {@code
 *     classes} itself is the label of the null class
 * @param text what text the model takes; null where it takes none
 * @param sampler the default
 * @param spacing the default spacing of timesteps, {@code leading} or {@code openai}, for samplers
 *     that have none of their own
 * @param samplerSpacing the spacing of the default sampler; null where it has its usual one
 * @param guidanceChannels on how many channels guidance acts by default
 * @param guidance its scale by default; null: what is usual for what it leads away from
 * @param maxBatch samples of one request; guidance takes two for a picture
 * @param precision of the engines, as the export's option names it: {@code fp32}, {@code int8-fp16}
 * @param pruned what is left of the checkpoint's model, whose name {@code architecture} is all the
 *     same; null: all of it
 * @param digest of the checkpoint, which tells its weights from others; null where the export did
 *     not note it
 * @param noise the noise schedule that the model was trained with
 * @param branches names in execution order
 * @param branchBytes bytes of each branch's output for one sample
 * @param streamBytes bytes for one sample of what blocks hand on, by name; null where the export
 *     did not note it
 * @param streams which branches make the streams beside the hidden state, and need them, as {@link
 *     StreamLives} writes it; null where there are none
 * @param decoder what makes pictures out of finished samples; null where there is none
 * @param stepsPerRequest steps that the ensembles called stretches run in one request; 1 where
 *     there are none
 * @param stepEngine what makes the sampler's steps between them, a {@link SamplerForm}; null: the
 *     older one
 * @param conditioned whether each ensemble of one step is there twice, the second time as {@link
 *     Names#conditioned}
 * @param skipLayers blocks that {@link Names#skipping} leaves out, for skip-layer guidance; null
 *     where there is no such ensemble
 * @param flops of one pass for one sample
 * @param routers the routers that the repository has ensembles for, as router files, by name
 * @param programs the calls of each router, by its name and the steps that go in one request; see
 *     {@link Program}
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Manifest(
    String format,
    String model,
    String architecture,
    int channels,
    int outputChannels,
    int height,
    int width,
    int pixelsPerElement,
    Size picture,
    int classes,
    Boolean nullClass,
    ManifestText text,
    String sampler,
    String spacing,
    String samplerSpacing,
    int guidanceChannels,
    Double guidance,
    int maxBatch,
    String precision,
    Pruned pruned,
    String digest,
    ManifestNoise noise,
    List<String> branches,
    List<Long> branchBytes,
    Map<String, Long> streamBytes,
    String streams,
    Decoder decoder,
    Integer stepsPerRequest,
    String stepEngine,
    Boolean conditioned,
    List<Integer> skipLayers,
    Flops flops,
    Map<String, JsonNode> routers,
    Map<String, Map<Integer, JsonNode>> programs) {

  public static final String KEY = "harmonica";

  /**
   * Parameter of every exported model, base or not: the base model that it is a part of. What it is
   * there for is its {@link Role}.
   */
  public static final String PART_OF = "harmonica_part_of";

  /** Parameter of a text encoder: its tokenizer, packed. */
  public static final String TOKENIZER = "tokenizer";

  public static final String FORMAT = "harmonica-model/2";

  /** What came before, without programs: they follow from the routers. */
  private static final String FORMAT_1 = "harmonica-model/1";

  // A later version may know more.
  static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.ACCEPT_SINGLE_VALUE_AS_ARRAY) // branchBytes of format 1
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  public Manifest {
    require("format", format);
    require("model", model);
    require("architecture", architecture);
    require("sampler", sampler);
    require("spacing", spacing);
    require("precision", precision);
    require("noise", noise);
    require("branches", branches);
    require("flops", flops);
    require("routers", routers);
    require("branchBytes", branchBytes);
    if (branchBytes.size() == 1) { // format 1 has one for all
      branchBytes = Collections.nCopies(branches.size(), branchBytes.get(0));
    }
    if (stepsPerRequest == null) {
      stepsPerRequest = 1;
    }
    SamplerForm.of(stepEngine); // or refuses
    if (conditioned == null) {
      conditioned = false;
    }
    if (programs == null) { // and no programs
      programs = Map.of();
    }
  }

  static void require(String field, Object value) {
    if (value == null) {
      throw new IllegalArgumentException("field " + field + " is missing");
    }
  }

  /** Of a picture, in pixels. */
  public record Size(int height, int width) {}

  /**
   * The model that makes pictures out of finished samples, one at a time.
   *
   * @param tile samples up to this size in both directions are decoded whole, larger ones in
   *     overlapping tiles of it
   */
  public record Decoder(String model, int tile) {}

  /** What {@link #samplerSpacing} says of a model sampled like this. */
  public static String samplerSpacing(Sampling sampling) {
    Spacing usual = Sampler.spacing(sampling.sampler(), sampling.origin());
    return sampling.spacing() == usual ? null : sampling.spacing().toString();
  }

  /**
   * Branches of the blocks that {@link #skipLayers} leaves, by their place; all where it is null.
   */
  public List<Integer> branchesWithoutSkipped() {
    Set<String> skipped =
        skipLayers == null
            ? Set.of()
            : skipLayers.stream().map(Branch::blockName).collect(Collectors.toSet());
    return IntStream.range(0, branches.size())
        .filter(branch -> !skipped.contains(block(branches.get(branch))))
        .boxed()
        .toList();
  }

  private static String block(String branch) {
    return branch.substring(0, branch.indexOf('.'));
  }

  /** How the model is sampled where a request does not say. */
  public Sampling sampling() {
    Sampling usual = Sampling.of(noise.noising(), sampler, Spacing.of(spacing), learnsVariance());
    return samplerSpacing == null ? usual : usual.withSpacing(Spacing.of(samplerSpacing));
  }

  /** What the model is told of a picture. */
  public Shows shows() {
    if (text != null) {
      return text.shows();
    }
    return classes == 0
        ? new Shows.Anything()
        : new Shows.Classes(classes, nullClass == null || nullClass);
  }

  /** The same in words, for messages: {@code classes 0..9}. */
  public String takes() {
    return text != null
        ? "texts"
        : classes == 0 ? "neither classes nor texts" : "classes 0..%d".formatted(classes - 1);
  }

  /** What guidance leads away from. */
  public Unconditional unconditional() {
    return shows().unconditional();
  }

  /** The scale of guidance where a request does not say; 1 is none. */
  public double defaultGuidance() {
    return guidance == null ? unconditional().defaultGuidance() : guidance;
  }

  /**
   * Refuses a router that no generation could follow, whatever its options.
   *
   * @throws HarmonicaException for a sampler or timesteps that nothing draws with
   */
  public void requireDraws(Router router) {
    sampling().following(router.name(), router.sampler(), router.timesteps());
  }

  /**
   * What trajectories keep. Where the export did not note the streams, a run counts as the largest
   * output of a branch.
   */
  public CacheBytes cacheBytes() {
    return streamBytes == null
        ? CacheBytes.of(branchBytes)
        : new CacheBytes(
            branchBytes, streamBytes, StreamLives.parse(streams == null ? "" : streams));
  }

  /** Whether the model predicts a variance beside the noise. */
  public boolean learnsVariance() {
    return outputChannels == 2 * channels;
  }

  /** What makes the sampler's steps within a request. */
  public SamplerForm steps() {
    return SamplerForm.of(stepEngine);
  }

  /** A program by a router's name; empty where it has none for requests of so many steps. */
  public Optional<Program> program(String router, int size) {
    return Optional.ofNullable(programs.getOrDefault(router, Map.of()).get(size))
        .map(written -> JSON.convertValue(written, ProgramJson.class).program(branches));
  }

  /** The same model with one more router, or another of this name. */
  public Manifest with(Router router) {
    Map<String, JsonNode> files = new LinkedHashMap<>(routers);
    files.put(router.name(), json(router));
    Map<String, Map<Integer, JsonNode>> all = new LinkedHashMap<>(programs);
    all.put(router.name(), new WrittenPrograms(this).of(router));
    return with(files, all);
  }

  /** A router as its file has it. */
  public static JsonNode json(Router router) {
    try {
      return JSON.readTree(router.toJson());
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * The same model with the program of its default sampler that reuses nothing, for clients that
   * only follow programs.
   */
  public Manifest withUncached(int steps) {
    Map<String, Map<Integer, JsonNode>> all = new LinkedHashMap<>(programs);
    all.put(Names.NO_ROUTER, new WrittenPrograms(this).uncached(steps));
    return with(routers, all);
  }

  /** The same model without a router. */
  public Manifest without(String router) {
    Map<String, JsonNode> files = new LinkedHashMap<>(routers);
    files.remove(router);
    Map<String, Map<Integer, JsonNode>> all = new LinkedHashMap<>(programs);
    all.remove(router);
    return with(files, all);
  }

  private Manifest with(
      Map<String, JsonNode> otherRouters, Map<String, Map<Integer, JsonNode>> otherPrograms) {
    return new Manifest(
        FORMAT,
        model,
        architecture,
        channels,
        outputChannels,
        height,
        width,
        pixelsPerElement,
        picture,
        classes,
        nullClass,
        text,
        sampler,
        spacing,
        samplerSpacing,
        guidanceChannels,
        guidance,
        maxBatch,
        precision,
        pruned,
        digest,
        noise,
        branches,
        branchBytes,
        streamBytes,
        streams,
        decoder,
        stepsPerRequest,
        stepEngine,
        conditioned,
        skipLayers,
        flops,
        otherRouters,
        otherPrograms);
  }

  /** What format 1 left to its clients. */
  private Manifest withPrograms() {
    Manifest manifest = with(Map.of(), Map.of()).withUncached(Program.DEFAULT_STEPS);
    for (Map.Entry<String, JsonNode> router : routers.entrySet()) {
      String where = "router " + router.getKey() + " of model " + model;
      try {
        manifest = manifest.with(Router.parse(router.getValue().toString(), where));
      } catch (HarmonicaException e) { // told to whoever asks for it
        Map<String, JsonNode> files = new LinkedHashMap<>(manifest.routers);
        files.put(router.getKey(), router.getValue());
        manifest = manifest.with(files, manifest.programs);
      }
    }
    return manifest;
  }

  public String toJson() {
    try {
      return JSON.writeValueAsString(this);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  /**
   * Reads the manifest of a base ensemble.
   *
   * @throws HarmonicaException where the model is none of ours or of another format
   */
  public static Manifest of(ModelConfig config) {
    if (!config.containsParameters(KEY)) {
      throw new HarmonicaException(
          config.containsParameters(PART_OF)
              ? "model %s is only a part of a model: name %s, which it belongs to"
                  .formatted(
                      config.getName(), config.getParametersOrThrow(PART_OF).getStringValue())
              : "model %s has no parameter '%s', so harmonica-export did not write it: name a model that it wrote"
                  .formatted(config.getName(), KEY));
    }
    try {
      Manifest manifest =
          JSON.readValue(config.getParametersOrThrow(KEY).getStringValue(), Manifest.class);
      if (FORMAT_1.equals(manifest.format)) {
        return manifest.withPrograms();
      }
      if (!FORMAT.equals(manifest.format)) {
        throw new HarmonicaException(
            HarmonicaException.Kind.MODEL,
            "model %s: manifest format is '%s', expected '%s'; export it again with this version"
                .formatted(config.getName(), manifest.format, FORMAT));
      }
      return manifest;
    } catch (JsonProcessingException e) {
      throw new HarmonicaException(
          HarmonicaException.Kind.MODEL,
          "model %s: parameter '%s' is not a manifest (%s); export it again"
              .formatted(config.getName(), KEY, e.getOriginalMessage()),
          e);
    }
  }
}
