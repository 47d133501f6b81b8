package io.harmonica.cli;

import io.harmonica.calibration.Observed;
import io.harmonica.calibration.Ranges;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Digest;
import io.harmonica.checkpoint.HubCache;
import io.harmonica.export.EngineSize;
import io.harmonica.export.ExportOptions;
import io.harmonica.export.Exporter;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Pruned;
import io.harmonica.model.Resolution;
import io.harmonica.onnx.Precision;
import io.harmonica.origin.AspectBins;
import io.harmonica.origin.Autoencoder;
import io.harmonica.origin.Choices;
import io.harmonica.origin.Model;
import io.harmonica.origin.PipelineParts;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Sampling;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.commons.cli.Options;

/** {@code harmonica-export}: writes a model repository from a checkpoint. */
final class ExportCommand implements Command {
  @Override
  public String name() {
    return "harmonica-export";
  }

  @Override
  public String summary() {
    return "write a Triton model repository from a checkpoint";
  }

  @Override
  public List<String> usage() {
    return List.of("--checkpoint PATH --model-repository DIR [--router FILE]... [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList options =
        new OptionList()
            .value(
                "checkpoint",
                "PATH",
                "a diffusers folder, of a model or a whole pipeline, or an original .pt file")
            .value(
                "architecture", "NAME", "refuse a checkpoint that is no such model, e.g. DiT-XL/2");
    options =
        CheckpointOptions.declareForDrawing(options)
            .value(
                "vae",
                "PATH",
                "the autoencoder of a latent model: a diffusers folder, or a file of CompVis' names"
                    + " (default: the folder vae of the checkpoint's pipeline); its decoder makes"
                    + " the pictures")
            .value(
                "latent-scale",
                "X",
                "what latents were multiplied by, where the autoencoder's file does not say"
                    + " (default: as the model's origin does, mostly 0.18215)");
    return TextFiles.options(options)
        .value(
            "resolution",
            "HxW",
            "height and width of the pictures in pixels, where a model leaves that free (default: as"
                + " trained)")
        .flag(
            "aspect-bins",
            "with --resolution: draw at the nearest size that PixArt was trained at, then resize"
                + " and crop")
        .value(
            "text-tokens",
            "N",
            "PixArt: tokens of a prompt, padding included (default: alpha 120, Sigma 300)")
        .value("model-name", "NAME", "name of the base model (default: the checkpoint's)")
        .value("router", "FILE", "a router to write ensembles for; may be repeated")
        .value(
            "sampler",
            "NAME",
            "what draws by default: "
                + String.join(", ", Sampler.NAMES)
                + " (default: as the pipeline's scheduler says); noise schedule and prediction type"
                + " stay the scheduler's")
        .value(
            "precision",
            "NAME",
            "of weights and activations: "
                + String.join(", ", Precision.words())
                + " (default fp32); bf16, fp8 and int4: with --platform tensorrt; int8: the linear maps"
                + " of blocks multiply in 8 bits, all else is fp32, or with int8-fp16 fp16;"
                + " int8-static: faster, by scales of --ranges; fp8: the same in floating point;"
                + " int4: weights of these maps in 4 bits, for memory, rounded by moments in --ranges")
        .value(
            "ranges",
            "FILE",
            "what harmonica calibrate observed of this checkpoint, for --prune-to and for --precision"
                + " int8-static, fp8 and int4, which needs --moments all of it")
        .value(PruneOption.NAME, "PART", PruneOption.DESCRIPTION)
        .value(
            "cache-precision",
            "engine|int8",
            "of cached branch outputs: as the engines have them (default), or in 8 bits, a quarter of"
                + " fp32 in memory, in shared memory and on the wire")
        .value(
            "platform",
            "onnxruntime|tensorrt",
            "what Triton runs the engines with (default onnxruntime); for tensorrt run"
                + " export/build-engines.sh on the target machine afterwards")
        .value(
            "engines",
            "block|branch",
            "block: one for each variant of a block that a router needs (default); branch: one for"
                + " each branch, weights in memory once, and any router can be deployed later")
        .value(
            "accelerator",
            "none|tensorrt|openvino",
            "what Triton's onnxruntime backend computes with, where it was built so: its own"
                + " kernels, TensorRT on NVIDIA GPUs, OpenVINO on CPUs (default none); servers"
                + " without it refuse the engines")
        .value(
            "blocks-per-engine",
            "K|all",
            "blocks of one engine (default 1); all: the whole step in one engine a route")
        .value(
            "steps-per-request",
            "K",
            "also write ensembles of K denoising steps each, for clients far from the server;"
                + " samplers: "
                + String.join(", ", Sampler.LINEAR)
                + " (default 1: none)")
        .value(
            "picture",
            "ROUTER[,...]",
            "also write an ensemble MODEL.ROUTER that makes a picture of noise in one request; none:"
                + " of uncached steps; samplers as for --steps-per-request (default: none of them)")
        .value(
            "skip-layers",
            "BLOCK,...",
            "also write a pass without these blocks, for generate --skip-layer-guidance of Stable"
                + " Diffusion 3 (of 3.5-medium: 7,8,9; default: none)")
        .value(
            "max-batch", "N", "samples of one request, guidance's pair counted as two (default 16)")
        .value(
            "dynamic-batching",
            "on|off",
            "whether an engine takes what waits for it together, of whatever trajectories; off spares"
                + " the batcher's time, for servers that one client at a time asks (default on)")
        .value("model-repository", "DIR", "the repository to write")
        .flag(
            "hard-links",
            "variants of an engine share one data file by hard links: less disk, but other tools"
                + " refuse such files (default: each engine has its own)")
        .flag("force", "replace this model, where the repository has it; others are never touched")
        .flag("dry-run", "print what would be written, with sizes, and write nothing")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica-export --checkpoint export/shapes-dit --model-repository /tmp/models"
            + " --router export/shapes-dit/routers/taylor-2.json",
        "bin/harmonica-export --checkpoint DiT-XL-2-256x256.pt --precision fp16 --platform tensorrt"
            + " --model-repository /srv/models --dry-run");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    arguments.refuseBoth("architecture", "heads");
    Path path = arguments.requiredPath("checkpoint");
    Path repository = arguments.requiredPath("model-repository");
    List<Router> routers = arguments.paths("router").stream().map(Router::read).toList();
    PipelineParts parts = PipelineParts.of(path);
    Optional<Path> vae = arguments.path("vae").or(parts::vae);
    try (Checkpoint checkpoint = Checkpoint.open(parts.model());
        Checkpoint beside = vae.map(Checkpoint::open).orElse(null);
        TextFiles.All texts = TextFiles.all(arguments, parts);
        Ranges ranges = arguments.path("ranges").map(Ranges::open).orElse(null)) {
      Optional<Autoencoder> autoencoder = Optional.ofNullable(beside).map(Autoencoder::of);
      if (autoencoder.isEmpty()) {
        arguments.refuse("latent-scale", "without an autoencoder");
      }
      Sizes sizes = sizes(arguments, checkpoint, autoencoder);
      Model whole = Model.of(checkpoint, sizes.choices());
      arguments.text("architecture").ifPresent(name -> whole.requireArchitecture(name, path));
      boolean dryRun = arguments.has("dry-run");
      Optional<String> digest =
          dryRun && ranges == null ? Optional.empty() : Optional.of(Digest.of(checkpoint));
      Precision precision =
          Precision.of(arguments.choice("precision", Precision.words()).orElse("fp32"));
      PruneOption left =
          PruneOption.of(arguments, whole, precision, Optional.ofNullable(ranges), digest);
      Model model = left.model();
      ExportOptions options = options(arguments, path, precision, left.ranges());
      Exporter exporter = new Exporter(model, routers, options);
      Stream.concat(
              Stream.of(Optional.of(model.weights()), autoencoder.map(Autoencoder::weights)),
              texts.files().stream().map(some -> some.map(files -> files.encoder().weights())))
          .flatMap(Optional::stream)
          .flatMap(weights -> weights.note().stream())
          .forEach(note -> console.note(note));
      Sampling says = parts.sampling(model.denoiser().io().sampling());
      Sampling sampling = RouterCommands.sampler(arguments).map(says::withSampler).orElse(says);
      exporter.withSampling(sampling);
      autoencoder
          .map(decoder -> scaled(decoder, arguments, model.denoiser().io()))
          .ifPresent(exporter::withDecoder);
      if (texts.areThere()) {
        exporter.withTexts(
            texts.files().stream()
                .map(
                    some ->
                        some.map(
                            files ->
                                new Exporter.Text(files.encoder(), files.tokenizer().packed())))
                .toList());
      }
      sizes.picture().ifPresent(exporter::resizedTo);
      arguments
          .text("picture")
          .ifPresent(names -> exporter.withWholePictures(List.of(names.split(",", -1))));
      arguments
          .integers("skip-layers", 0, 1 << 16)
          .ifPresent(blocks -> exporter.withSkipLayers(Set.copyOf(blocks)));
      digest.ifPresent(
          own -> {
            exporter.withDigest(own);
            routers.forEach(router -> noteOtherWeights(router, own, console));
          });
      List<Exporter.Entry> entries =
          dryRun ? exporter.dryRun(repository) : exporter.export(repository);
      for (Exporter.Entry entry : entries) {
        if (dryRun) {
          console
              .out()
              .printf("%-60s %10s%n", entry.name(), RouterCommands.bytes(entry.sizeBytes()));
        }
      }
      long total = entries.stream().mapToLong(Exporter.Entry::sizeBytes).sum();
      console
          .out()
          .printf(
              Locale.ROOT,
              "%s %s: %s, %s, %s %s%s with %s in %s%n",
              dryRun ? "would write" : "wrote",
              options.modelName(),
              RouterCommands.counted(entries.size(), "model"),
              RouterCommands.bytes(total),
              model.denoiser().architecture(),
              options.precision().word(),
              options.numerics().cacheInt8() ? ", cache int8" : "",
              RouterCommands.counted(routers.size(), "router"),
              repository);
      Pruned.of(model.denoiser()).ifPresent(some -> console.out().println(PruneOption.told(some)));
      if (dryRun) {
        console.out().println(memory(exporter.peakCacheBytes(), total));
      }
      noteRepeated(entries, total, console);
      options.needs().forEach(console::note);
      model.notes().forEach(note -> console.note(note));
      parts
          .note(part -> arguments.has(part.replace('_', '-')))
          .ifPresent(note -> console.note(note));
      exporter.latentsOnly().ifPresent(console::note);
      exporter
          .withoutStretches()
          .forEach(router -> noteSingleSteps(router, exporter.severalAtOnce(), console));
    }
    return CommandRunner.DONE;
  }

  /**
   * What a server needs that loads all of it: each engine holds its own weights.
   *
   * @param cache bytes that a router keeps for a row
   * @param weights bytes of all engines
   */
  private static String memory(OptionalLong cache, long weights) {
    return "a server that loads all holds %s of weights%s, and what its passes work with"
        .formatted(
            RouterCommands.bytes(weights),
            cache.isEmpty()
                ? ""
                : ", up to %s of cached outputs for each row in flight"
                    .formatted(RouterCommands.bytes(cache.getAsLong())));
  }

  /** For latents that were multiplied as the command line or the model's origin says. */
  private static Autoencoder scaled(
      Autoencoder autoencoder, Arguments arguments, Denoiser.Interface io) {
    Autoencoder usual = autoencoder.of(io.origin());
    return arguments.decimal("latent-scale", 1e-6, 1e6).map(usual::scaledBy).orElse(usual);
  }

  private static void noteSingleSteps(String router, List<String> samplers, Console console) {
    console.note(
        "router %s is for none of the samplers %s, so its steps go one in a request"
            .formatted(router, String.join(", ", samplers)));
  }

  private static void noteRepeated(List<Exporter.Entry> entries, long total, Console console) {
    long repeated = entries.stream().mapToLong(Exporter.Entry::repeatedBytes).sum();
    if (repeated > total / 2) {
      console.note(
          "%s of these are weights that variants of an engine have each; --hard-links has them share one file, which takes as much less disk"
              .formatted(RouterCommands.bytes(repeated)));
    }
  }

  /** Which may be meant: fine-tuned weights often take the router of those they came from. */
  private static void noteOtherWeights(Router router, String digest, Console console) {
    router
        .otherWeights(digest)
        .ifPresent(
            trained ->
                console.note(
                    "router %s was trained on weights with digest %s, these have %s"
                        .formatted(router.name(), trained, digest)));
  }

  /**
   * Sizes that the checkpoint leaves free.
   *
   * @param picture what pictures are brought to, where the model draws at another size
   */
  private record Sizes(Choices choices, Optional<Resolution> picture) {}

  private static Sizes sizes(
      Arguments arguments, Checkpoint checkpoint, Optional<Autoencoder> autoencoder) {
    Choices choices = CheckpointOptions.choices(arguments);
    if (autoencoder.isPresent()) {
      choices = choices.withPixelsPerElement(autoencoder.get().decoder().pixelsPerElement());
    }
    if (arguments.has("text-tokens")) {
      choices = choices.withTextTokens(arguments.requiredInteger("text-tokens", 1, 4096));
    }
    if (!arguments.has("resolution")) {
      arguments.refuse("aspect-bins", "without --resolution");
      return new Sizes(choices, Optional.empty());
    }
    Resolution asked = Resolution.parse(arguments.requiredText("resolution"));
    if (!arguments.has("aspect-bins")) {
      return new Sizes(choices.withResolution(asked), Optional.empty());
    }
    Denoiser.Interface trained = Model.of(checkpoint, choices).denoiser().io();
    Resolution bin = AspectBins.nearest(trained.height() * trained.pixelsPerElement(), asked);
    return new Sizes(choices.withResolution(bin), Optional.of(asked));
  }

  private static ExportOptions options(
      Arguments arguments, Path checkpoint, Precision precision, Optional<Observed> ranges) {
    boolean smallCache =
        arguments
            .choice("cache-precision", List.of("engine", "int8"))
            .filter("int8"::equals)
            .isPresent();
    return new ExportOptions(
        arguments.text("model-name").orElseGet(() -> defaultName(checkpoint)),
        new ExportOptions.Numerics(precision, smallCache, ranges),
        platform(arguments),
        engines(arguments),
        new ExportOptions.Requests(
            arguments.integer("max-batch", 1, 1 << 16).orElse(16),
            arguments.integer("steps-per-request", 1, 1000).orElse(1),
            arguments.choice("dynamic-batching", List.of("on", "off")).orElse("on").equals("on")),
        new ExportOptions.Writing(arguments.has("force"), arguments.has("hard-links")));
  }

  private static EngineSize engines(Arguments arguments) {
    if (arguments.choice("engines", List.of("block", "branch")).orElse("block").equals("branch")) {
      arguments.refuse("blocks-per-engine", "with --engines branch");
      arguments.refuse("hard-links", "with --engines branch, where no engines share weights");
      return EngineSize.BRANCH;
    }
    return arguments.text("blocks-per-engine").filter("all"::equals).isPresent()
        ? EngineSize.STEP
        : EngineSize.ofBlocks(arguments.integer("blocks-per-engine", 1, 1000).orElse(1));
  }

  private static ExportOptions.Platform platform(Arguments arguments) {
    String accelerator =
        arguments.choice("accelerator", List.of("none", "tensorrt", "openvino")).orElse("none");
    String platform =
        arguments.choice("platform", List.of("onnxruntime", "tensorrt")).orElse("onnxruntime");
    if (accelerator.equals("none")) {
      return ExportOptions.Platform.valueOf(platform.toUpperCase(Locale.ROOT));
    }
    if (platform.equals("tensorrt")) {
      throw new UsageException(
          "--accelerator %s is for --platform onnxruntime, not for TensorRT's plans: give one of the two"
              .formatted(accelerator));
    }
    return accelerator.equals("tensorrt")
        ? ExportOptions.Platform.ONNXRUNTIME_TENSORRT
        : ExportOptions.Platform.ONNXRUNTIME_OPENVINO;
  }

  /** The checkpoint's own name, or its repository's, as far as a model can have it. */
  private static String defaultName(Path checkpoint) {
    Path normal = checkpoint.toAbsolutePath().normalize();
    String own =
        String.valueOf(normal.getFileName()).replaceFirst("\\.(safetensors|pt|pth|bin)$", "");
    boolean part = own.equals("transformer") && normal.getParent() != null; // of a pipeline
    Path named = part ? normal.getParent() : normal;
    return HubCache.repository(named)
        .orElse(part ? String.valueOf(named.getFileName()) : own)
        .replaceAll("[^A-Za-z0-9._-]", "-");
  }
}
