package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import io.harmonica.checkpoint.Safetensors;
import io.harmonica.checkpoint.StoredTensor;
import io.harmonica.generate.ContactSheet;
import io.harmonica.generate.Latents;
import io.harmonica.generate.Pictures;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Png;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.generate.StepListener;
import io.harmonica.runtime.TritonRuntime;
import io.harmonica.sampler.Sampler;
import io.harmonica.sampler.Spacing;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.apache.commons.cli.Options;

/** {@code harmonica generate}: makes pictures, in this process or on a Triton server. */
final class GenerateCommand implements Command {
  private static final String LATENTS = "latents";
  private static final int SHEET_COLUMNS = 8;

  @Override
  public String name() {
    return "generate";
  }

  @Override
  public String summary() {
    return "make pictures, in this process or on a Triton server";
  }

  @Override
  public List<String> usage() {
    return List.of(
        "(--model-repository DIR | --triton HOST:PORT) --model NAME --classes 0,1,2 --out DIR"
            + " [OPTIONS]");
  }

  @Override
  public Options options() {
    return new OptionList()
        .value("model-repository", "DIR", "run this repository here, without a server")
        .value("triton", "HOST:PORT", "use a Triton server by its gRPC port")
        .value(
            "deadline", "SECONDS", "with --triton: the longest that one call may take (default 60)")
        .value("model", "NAME", "the base model")
        .value("router", "NAME|none", "a router of the model (default none: compute everything)")
        .value("classes", "0,1,2", "a class label for each picture")
        .value("steps", "N", "denoising steps (default: the router's, else 20)")
        .value(
            "sampler",
            "NAME",
            String.join(", ", Sampler.NAMES) + " (default: the router's, else ddim)")
        .value("eta", "X", "noise of ddim: 0 none (default), 1 as much as DDPM")
        .value(
            "spacing",
            "leading|openai",
            "timesteps as diffusers or as the original DiT space them (default: the model's"
                + " origin); also openai-ddim. dpm-solver++ and sa-solver have linspace")
        .value("guidance", "X", "scale of classifier-free guidance (default 1.5); 1: none")
        .value("guidance-channels", "N|all", "channels it acts on (default: the model's origin)")
        .value("seed", "N", "of the first picture's noise, counting up (default 0)")
        .value("latents", "FILE", "initial noise: safetensors with fp32 latents [n, c, h, w]")
        .value("save-latents", "FILE", "keep the result before decoding, in the same form")
        .value("out", "DIR", "folder for the pictures and a contact sheet")
        .options();
  }

  @Override
  public List<String> examples() {
    return List.of(
        "bin/harmonica generate --model-repository model_repository --model shapes-dit"
            + " --classes 0,3,4 --router taylor-2 --out /tmp/pictures",
        "bin/harmonica generate --triton localhost:8001 --model shapes-dit --classes 6 --out /tmp/p");
  }

  @Override
  public int run(Arguments arguments, Console console) throws IOException {
    arguments.requireOneOf("model-repository", "triton");
    refuseWithoutEffect(arguments);
    String model = arguments.requiredText("model");
    Path out = arguments.requiredPath("out");
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new HarmonicaException("--out %s is a file, expected a folder".formatted(out));
    }
    arguments.path("latents").ifPresent(GenerateCommand::requireFile);
    arguments.path("save-latents").ifPresent(GenerateCommand::requireWritable);
    try (Pipeline pipeline = open(arguments, model)) {
      Request request = request(arguments, pipeline);
      Result result = generate(pipeline, request, console);
      if (arguments.has("save-latents")) {
        save(result.latents(), arguments.requiredPath("save-latents"));
      }
      write(result.latents(), request.classes(), out, console);
      console
          .out()
          .printf(
              Locale.ROOT,
              "%s in %.2f s, router %s, in %s%n",
              RouterCommands.counted(request.classes().size(), "picture"),
              result.elapsedNanos() / 1e9,
              request.router(),
              out);
    }
    return CommandRunner.DONE;
  }

  private static void refuseWithoutEffect(Arguments arguments) {
    if (!arguments.has("triton")) {
      arguments.refuse("deadline", "without --triton");
    }
    if (guidance(arguments) <= 1) {
      arguments.refuse("guidance-channels", "with --guidance up to 1");
    }
  }

  private static Pipeline open(Arguments arguments, String model) {
    return arguments.has("triton")
        ? Pipeline.connect(arguments.requiredText("triton"), model, tritonOptions(arguments))
        : Pipeline.open(arguments.requiredPath("model-repository"), model);
  }

  private static TritonRuntime.Options tritonOptions(Arguments arguments) {
    return arguments
        .decimal("deadline", 0.001, 86_400)
        .map(seconds -> Duration.ofMillis(Math.round(seconds * 1000)))
        .map(TritonRuntime.Options::new)
        .orElse(TritonRuntime.Options.DEFAULTS);
  }

  private static double guidance(Arguments arguments) {
    return arguments.decimal("guidance", 0, 1000).orElse(1.5);
  }

  private static Request request(Arguments arguments, Pipeline pipeline) {
    Optional<Latents> latents = arguments.path("latents").map(GenerateCommand::read);
    List<Integer> classes =
        arguments
            .integers("classes", 0, Integer.MAX_VALUE)
            .orElseThrow(() -> new UsageException("missing --classes 0,1,2"));
    if (latents.isPresent() && classes.size() == 1) { // one class for every row
      classes = Collections.nCopies(latents.get().count(), classes.get(0));
    }
    Request request =
        Request.of(classes)
            .withRouter(arguments.text("router").orElse(Request.NO_ROUTER))
            .withGuidance(guidance(arguments))
            .withSeed(arguments.wholeNumber("seed").orElse(0L));
    if (latents.isPresent()) {
      request = request.withLatents(latents.get());
    }
    if (arguments.has("steps")) {
      request = request.withSteps(arguments.requiredInteger("steps", 1, 1000));
    }
    if (arguments.has("sampler")) {
      request = request.withSampler(arguments.requiredText("sampler"));
    }
    if (arguments.has("eta")) {
      request = request.withEta(arguments.decimal("eta", 0, 1).orElseThrow());
    }
    if (arguments.has("spacing")) {
      request = request.withSpacing(Spacing.of(arguments.requiredText("spacing")));
    }
    if (arguments.has("guidance-channels")) {
      boolean all = arguments.requiredText("guidance-channels").equals("all");
      request =
          request.withGuidanceChannels(
              all
                  ? pipeline.manifest().channels()
                  : arguments.requiredInteger("guidance-channels", 1, 1 << 16));
    }
    if (latents.isPresent() && arguments.has("seed") && !pipeline.addsNoise(request)) {
      arguments.refuse("seed", "with --latents and a sampler that adds no noise");
    }
    return request;
  }

  /** Generates with a progress bar on the error stream, where the launcher found a terminal. */
  private static Result generate(Pipeline pipeline, Request request, Console console) {
    if (!Boolean.getBoolean("harmonica.terminal")) {
      return pipeline.generate(request);
    }
    int steps =
        request.router().equals(Request.NO_ROUTER)
            ? request.steps().orElse(Request.DEFAULT_STEPS)
            : pipeline.router(request.router()).steps();
    int size =
        pipeline.manifest().channels() * pipeline.manifest().height() * pipeline.manifest().width();
    try (ProgressBar bar =
        new ProgressBarBuilder()
            .setTaskName("denoising")
            .setInitialMax((long) steps * request.classes().size())
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new me.tongfei.progressbar.ConsoleProgressBarConsumer(console.err()))
            .build()) {
      StepListener advance =
          step -> {
            bar.stepBy(step.latents().length / size);
            return true;
          };
      return pipeline.generate(request, advance);
    }
  }

  private static void write(Latents latents, List<Integer> classes, Path out, Console console)
      throws IOException {
    if (latents.channels() != 1 && latents.channels() != 3) {
      Path file = out.resolve("latents.safetensors");
      save(latents, file);
      console
          .err()
          .printf(
              Locale.ROOT,
              "note: latents of %d channels need the model's decoder to become pictures: kept in %s%n",
              latents.channels(),
              file);
      return;
    }
    List<BufferedImage> pictures = Pictures.of(latents);
    for (int i = 0; i < pictures.size(); i++) {
      String name = String.format(Locale.ROOT, "%04d-class%d.png", i, classes.get(i));
      Png.write(pictures.get(i), out.resolve(name));
    }
    int scale = Math.max(1, 128 / latents.width());
    Png.write(new ContactSheet(SHEET_COLUMNS, scale).draw(pictures), out.resolve("sheet.png"));
  }

  private static void save(Latents latents, Path file) throws IOException {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null) {
      Files.createDirectories(folder);
    }
    Safetensors.write(
        file,
        Map.of(
            LATENTS,
            Safetensors.Floats.of(
                latents.values(),
                latents.count(),
                latents.channels(),
                latents.height(),
                latents.width())));
  }

  private static void requireFile(Path file) {
    if (!file.toString().endsWith(".safetensors")) {
      throw new HarmonicaException(
          "--latents %s is no .safetensors file by its name".formatted(file));
    }
  }

  /** Refused now rather than after minutes of work. */
  private static void requireWritable(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    while (parent != null && !Files.exists(parent)) { // will be made
      parent = parent.getParent();
    }
    if (parent == null || !Files.isDirectory(parent) || Files.isDirectory(file)) {
      throw new HarmonicaException(
          "--save-latents %s cannot be written, expected a file in a folder".formatted(file));
    }
  }

  private static Latents read(Path file) {
    try (Checkpoint tensors = Checkpoint.open(file)) {
      if (!tensors.names().contains(LATENTS)) {
        throw new HarmonicaException(
            "--latents %s has no tensor '%s', only %s".formatted(file, LATENTS, tensors.names()));
      }
      StoredTensor tensor = tensors.tensor(LATENTS);
      if (tensor.shape().size() != 4 || tensor.elements() == 0) {
        throw new HarmonicaException(
            "--latents %s: tensor '%s' has shape %s, expected [n, channels, height, width]"
                .formatted(file, LATENTS, tensor.shape()));
      }
      float[] values = tensor.floats();
      for (float value : values) {
        if (!Float.isFinite(value)) {
          throw new HarmonicaException(
              "--latents %s holds %s, expected finite numbers".formatted(file, value));
        }
      }
      List<Integer> shape = tensor.shape().stream().map(Math::toIntExact).toList();
      return new Latents(values, shape.get(0), shape.get(1), shape.get(2), shape.get(3));
    }
  }
}
