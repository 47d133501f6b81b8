package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import io.harmonica.generate.ContactSheet;
import io.harmonica.generate.Latents;
import io.harmonica.generate.Pictures;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.Png;
import io.harmonica.generate.Prompts;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.generate.StepListener;
import io.harmonica.metrics.MetricsPort;
import io.harmonica.runtime.SharedMemory;
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
import java.util.Optional;
import java.util.function.BooleanSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.apache.commons.cli.Options;

/** {@code harmonica generate}: makes pictures, in this process or on a Triton server. */
final class GenerateCommand implements Command {
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
        "(--model-repository DIR | --triton HOST:PORT) --model NAME"
            + " (--classes 0,1,2 | --text-embeddings FILE) --out DIR [OPTIONS]");
  }

  @Override
  public Options options() {
    return new OptionList()
        .value("model-repository", "DIR", "run this repository here, without a server")
        .value("triton", "HOST:PORT", "use a Triton server by its gRPC port")
        .value(
            "deadline", "SECONDS", "with --triton: the longest that one call may take (default 60)")
        .value(
            "shared-memory",
            "auto|on|off",
            "with --triton: tensors in memory shared with a server on this host (default auto:"
                + " where that works)")
        .value(
            "steps-per-request",
            "auto|1|K",
            "steps that go in one request: 1, or what the model was exported with (default auto:"
                + " that, if the server is more than 1 ms away)")
        .value("model", "NAME", "the base model")
        .value("router", "NAME|none", "a router of the model (default none: compute everything)")
        .value("classes", "0,1,2", "a class label for each picture")
        .value(
            "text-embeddings",
            "FILE",
            "a text for each picture, for a model that takes text: safetensors with fp32"
                + " prompt_embeds [n, tokens, width] and prompt_attention_mask [n, tokens], and for"
                + " guidance negative_prompt_embeds and negative_prompt_attention_mask, n or 1")
        .value("steps", "N", "denoising steps (default: the router's, else 20)")
        .value(
            "sampler",
            "NAME",
            String.join(", ", Sampler.NAMES) + " (default: the router's, else the model's)")
        .value("eta", "X", "noise of ddim: 0 none (default), 1 as much as DDPM")
        .value(
            "spacing",
            "leading|openai",
            "timesteps as diffusers or as the original DiT space them (default: the model's"
                + " origin); also openai-ddim. dpm-solver++ and sa-solver have linspace")
        .value(
            "guidance",
            "X",
            "scale of classifier-free guidance (default 1.5, of texts 4.5);" + " 1: none")
        .value("guidance-channels", "N|all", "channels it acts on (default: the model's origin)")
        .value("seed", "N", "of the first picture's noise, counting up (default 0)")
        .value("latents", "FILE", "initial noise: safetensors with fp32 latents [n, c, h, w]")
        .value("save-latents", "FILE", "keep the result before decoding, in the same form")
        .value(
            "metrics-port",
            "[HOST:]PORT",
            "answer Prometheus meanwhile, on loopback unless a host is named")
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
    return Interrupt.guarding(stop -> run(arguments, console, stop));
  }

  private static int run(Arguments arguments, Console console, BooleanSupplier stop)
      throws IOException {
    arguments.requireOneOf("model-repository", "triton");
    refuseWithoutEffect(arguments);
    String model = arguments.requiredText("model");
    Path out = arguments.requiredPath("out");
    if (Files.exists(out) && !Files.isDirectory(out)) {
      throw new HarmonicaException("--out %s is a file, expected a folder".formatted(out));
    }
    for (String option : List.of("latents", "text-embeddings")) {
      arguments.path(option).ifPresent(file -> TensorFiles.requireName(option, file));
    }
    arguments
        .path("save-latents")
        .ifPresent(file -> TensorFiles.requireWritable("save-latents", file));
    try (MetricsPort metrics = metrics(arguments, console);
        Pipeline pipeline = open(arguments, model)) {
      if (metrics != null) {
        pipeline.withMetrics(metrics.metrics());
      }
      if (!arguments.text("steps-per-request").orElse("auto").equals("auto")) {
        pipeline.withStepsPerRequest(arguments.requiredInteger("steps-per-request", 1, 1000));
      }
      Request request = request(arguments, pipeline);
      Result result = generate(pipeline, request, console, stop);
      if (arguments.has("save-latents")) {
        TensorFiles.save(result.latents(), arguments.requiredPath("save-latents"));
      }
      write(pipeline, result.latents(), request, out, console);
      console
          .out()
          .printf(
              Locale.ROOT,
              "%s in %.2f s, router %s, in %s%n",
              RouterCommands.counted(request.count(), "picture"),
              result.elapsedNanos() / 1e9,
              request.router(),
              out);
    }
    return CommandRunner.DONE;
  }

  private static void refuseWithoutEffect(Arguments arguments) {
    if (!arguments.has("triton")) {
      arguments.refuse("deadline", "without --triton");
      arguments.refuse("shared-memory", "without --triton");
    }
    boolean several =
        arguments.text("steps-per-request").filter(n -> !n.matches("auto|1")).isPresent();
    if (several && arguments.text("shared-memory").filter("on"::equals).isPresent()) {
      arguments.refuse("shared-memory", "with several steps in one request: their tensors travel");
    }
    if (guidance(arguments).orElse(Double.MAX_VALUE) <= 1) {
      arguments.refuse("guidance-channels", "with --guidance up to 1");
    }
  }

  /** Null where none is asked for. */
  private static MetricsPort metrics(Arguments arguments, Console console) {
    if (!arguments.has("metrics-port")) {
      return null;
    }
    MetricsPort port = MetricsPort.open(arguments.requiredText("metrics-port"));
    console.err().println("note: metrics at " + port.url());
    return port;
  }

  private static Pipeline open(Arguments arguments, String model) {
    return arguments.has("triton")
        ? Pipeline.connect(arguments.requiredText("triton"), model, tritonOptions(arguments))
        : Pipeline.open(arguments.requiredPath("model-repository"), model);
  }

  static TritonRuntime.Options tritonOptions(Arguments arguments) {
    TritonRuntime.Options options = TritonRuntime.Options.DEFAULTS;
    Optional<Double> deadline = arguments.decimal("deadline", 0.001, 86_400);
    if (deadline.isPresent()) {
      options = options.withDeadline(Duration.ofMillis(Math.round(deadline.get() * 1000)));
    }
    Optional<String> shared = arguments.choice("shared-memory", List.of("auto", "on", "off"));
    return shared.isPresent()
        ? options.withSharedMemory(SharedMemory.valueOf(shared.get().toUpperCase(Locale.ROOT)))
        : options;
  }

  private static Optional<Double> guidance(Arguments arguments) {
    return arguments.decimal("guidance", 0, 1000);
  }

  /** What to draw; one label or text serves for every row of latents. */
  private static Request subjects(Arguments arguments, Optional<Integer> rows) {
    arguments.requireOneOf("classes", "text-embeddings");
    if (arguments.has("text-embeddings")) {
      Prompts prompts = TensorFiles.prompts(arguments.requiredPath("text-embeddings"));
      boolean shared = rows.isPresent() && prompts.positive().count() == 1;
      return Request.of(
          shared
              ? new Prompts(prompts.positive().repeated(rows.get()), prompts.negative())
              : prompts);
    }
    List<Integer> classes = arguments.integers("classes", 0, Integer.MAX_VALUE).orElseThrow();
    boolean shared = rows.isPresent() && classes.size() == 1;
    return Request.of(shared ? Collections.nCopies(rows.get(), classes.get(0)) : classes);
  }

  private static Request request(Arguments arguments, Pipeline pipeline) {
    Optional<Latents> latents = arguments.path("latents").map(TensorFiles::latents);
    Request request =
        subjects(arguments, latents.map(Latents::count))
            .withRouter(arguments.text("router").orElse(Request.NO_ROUTER))
            .withSeed(arguments.wholeNumber("seed").orElse(0L));
    if (guidance(arguments).isPresent()) {
      request = request.withGuidance(guidance(arguments).get());
    }
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
  private static Result generate(
      Pipeline pipeline, Request request, Console console, BooleanSupplier stop) {
    StepListener unlessStopped =
        step -> {
          if (stop.getAsBoolean()) {
            throw new HarmonicaException(
                "interrupted after step %d of %d: nothing was written"
                    .formatted(step.step() + 1, step.steps()));
          }
          return true;
        };
    if (!Boolean.getBoolean("harmonica.terminal")) {
      return pipeline.generate(request, unlessStopped);
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
            .setInitialMax((long) steps * request.count())
            .setStyle(ProgressBarStyle.ASCII)
            .setConsumer(new me.tongfei.progressbar.ConsoleProgressBarConsumer(console.err()))
            .build()) {
      StepListener advance =
          step -> {
            int pictures = step.latents().length / size;
            bar.stepTo((long) step.firstPicture() * steps + (step.step() + 1L) * pictures);
            return unlessStopped.onStep(step);
          };
      return pipeline.generate(request, advance);
    }
  }

  /** Decodes and writes the pictures; without a decoder the latents are kept. */
  private static void write(
      Pipeline pipeline, Latents latents, Request request, Path out, Console console)
      throws IOException {
    if (!pipeline.drawsPictures()) {
      Path file = out.resolve("latents.safetensors");
      TensorFiles.save(latents, file);
      console
          .err()
          .printf(
              Locale.ROOT,
              "note: latents of %d channels need the model's decoder to become pictures (export with --vae): kept in %s%n",
              latents.channels(),
              file);
      return;
    }
    List<BufferedImage> pictures = Pictures.of(pipeline.decode(latents));
    for (int i = 0; i < pictures.size(); i++) {
      String subject =
          request.prompts().isPresent() ? "text" + i : "class" + request.classes().get(i);
      Png.write(
          pictures.get(i), out.resolve(String.format(Locale.ROOT, "%04d-%s.png", i, subject)));
    }
    int scale = Math.max(1, 128 / pictures.get(0).getWidth());
    Png.write(new ContactSheet(SHEET_COLUMNS, scale).draw(pictures), out.resolve("sheet.png"));
  }
}
