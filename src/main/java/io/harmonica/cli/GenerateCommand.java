package io.harmonica.cli;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.HarmonicaException;
import io.harmonica.generate.Pipeline;
import io.harmonica.generate.PipelineBuilder;
import io.harmonica.generate.Request;
import io.harmonica.generate.Result;
import io.harmonica.generate.Series;
import io.harmonica.generate.StepListener;
import io.harmonica.generate.TensorFiles;
import io.harmonica.metrics.MetricsPort;
import io.harmonica.picture.ContactSheet;
import io.harmonica.picture.Latents;
import io.harmonica.picture.Pictures;
import io.harmonica.picture.Png;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.BooleanSupplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.apache.commons.cli.Options;

/** {@code harmonica generate}: makes pictures, in this process or on a Triton server. */
final class GenerateCommand implements Command {
  private static final int SHEET_COLUMNS = 8;
  private static final int DEFAULT_CONCURRENCY = 4;

  /** What pictures look like depends on these. */
  private static final List<String> DECIDING =
      List.of(
          "model",
          DeviceOptions.DEVICE,
          "router",
          "tier",
          "classes",
          "text-embeddings",
          "negative-prompt",
          "steps",
          "sampler",
          "eta",
          "spacing",
          "guidance",
          "guidance-channels",
          "true-cfg",
          "skip-layer-guidance",
          "seed");

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
            + " (--classes 0,1,2 | --prompt TEXT | --prompts FILE | --text-embeddings FILE | --pictures N)"
            + " --out DIR [OPTIONS]");
  }

  @Override
  public Options options() {
    OptionList place =
        new OptionList()
            .value("model-repository", "DIR", "run this repository here, without a server")
            .value(
                "triton",
                TritonOptions.SERVERS,
                "use Triton servers by their gRPC ports; several, or one name with several"
                    + " addresses, take over from each other");
    OptionList content =
        TritonOptions.declareForTrajectories(DeviceOptions.declare(place))
            .value(
                "steps-per-request",
                "auto|1|K",
                "steps that go in one request: 1, or what the model was exported with (default auto:"
                    + " that, if the server is more than 1 ms away)")
            .flag("whole", "all steps in one request, of a router that was exported with --picture")
            .value("model", "NAME", "the base model")
            .value(
                "router", "NAME|none", "a router of the model (default none: compute everything)")
            .value(
                "tier",
                "NAME",
                "instead of a router's name what it is there for: fast, balanced, quality, or"
                    + " another that the model has")
            .value("classes", "0,1,2", "a class label for each picture")
            .value(
                "prompt", "TEXT", "what to draw, for a model with a text encoder; may be repeated")
            .value("prompts", "FILE", "the same, one a line");
    return PromptOptions.options(content)
        .value(
            "text-embeddings",
            "FILE",
            "a text for each picture, embedded elsewhere: safetensors with fp32"
                + " prompt_embeds [n, tokens, width] and prompt_attention_mask [n, tokens], and for"
                + " guidance negative_prompt_embeds and negative_prompt_attention_mask, n or 1")
        .value("pictures", "N", "how many, of a model that takes neither classes nor texts")
        .value("steps", "N", "denoising steps (default: the router's, else 20)")
        .value(
            "sampler",
            "NAME",
            String.join(", ", Sampler.NAMES) + " (default: the router's, else the model's)")
        .value("eta", "X", "noise of ddim: 0 none (default), 1 as much as DDPM")
        .value(
            "spacing",
            "leading|linspace|trailing|openai",
            "timesteps as diffusers or as the original DiT space them (default: as the model's"
                + " scheduler or origin does, linspace for dpm-solver++ and sa-solver, uniform for"
                + " dpm-solver-2 and dpm-solver-fast); also"
                + " openai-ddim")
        .value(
            "guidance",
            "X",
            "scale of classifier-free guidance (default: the model's, mostly 1.5, of texts 4.5);"
                + " 1: none")
        .value("guidance-channels", "N|all", "channels it acts on (default: the model's origin)")
        .value(
            "true-cfg",
            "X",
            "scale of classifier-free guidance of a model that is told --guidance (FLUX.1 dev): a"
                + " second row leads away from the negative prompt")
        .value(
            "skip-layer-guidance",
            "X[,START,STOP]",
            "its scale, for Stable Diffusion 3 exported with --skip-layers: at steps k with START <"
                + " k/steps < STOP the output also leads away from a pass without these blocks"
                + " (default: none; 2.8,0.01,0.2 is diffusers')")
        .value("seed", "N", "of the first picture's noise, counting up (default 0)")
        .value("latents", "FILE", "initial noise: safetensors with fp32 latents [n, c, h, w]")
        .value("save-latents", "FILE", "keep the result before decoding, in the same form")
        .value(
            "count",
            "N",
            "make N pictures, going round the classes or texts; what is in --out already is not"
                + " made again, and there is no contact sheet")
        .value(
            "batch",
            "N",
            "with --count: pictures that go together (default: as many as the model takes, and"
                + " --concurrency leaves)")
        .value("concurrency", "N", "with --count: batches in flight (default 4)")
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
        "bin/harmonica generate --model-repository /srv/models --model PixArt-XL-2-512x512"
            + " --prompt 'a lighthouse in the snow' --out /tmp/pictures",
        "bin/harmonica generate --triton a:8001,b:8001 --model shapes-dit --classes 0,1,2 --count 1000"
            + " --concurrency 16 --out /tmp/many",
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
    OutputPaths.requireFolder("out", out);
    for (String option : List.of("latents", "text-embeddings")) {
      arguments.path(option).ifPresent(file -> OutputPaths.requireTensorName(option, file));
    }
    arguments
        .path("save-latents")
        .ifPresent(file -> OutputPaths.requireTensorFile("save-latents", file));
    try (MetricsPort metrics = metrics(arguments, console);
        Pipeline pipeline = open(arguments, model, metrics, console)) {
      Request request = RequestOptions.request(arguments, pipeline, console);
      if (arguments.has("count")) {
        Series series = new Series(pipeline, request, count(arguments), out);
        return series(series, arguments, console, stop);
      }
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
              router(pipeline, request),
              out);
    }
    return CommandRunner.DONE;
  }

  private static String router(Pipeline pipeline, Request request) {
    return pipeline.router(request.style()).map(Router::name).orElse(Request.NO_ROUTER);
  }

  private static int count(Arguments arguments) {
    return arguments.requiredInteger("count", 1, 100_000_000);
  }

  private static int series(
      Series series, Arguments arguments, Console console, BooleanSupplier stop)
      throws IOException {
    ObjectNode settings = JsonNodeFactory.instance.objectNode();
    for (String option : DECIDING) {
      arguments.text(option).ifPresent(value -> settings.put(option, value));
    }
    if (arguments.has("prompt") || arguments.has("prompts")) {
      List<String> texts = TextLines.of(arguments, "prompt", "prompts");
      settings.put("prompts", TextLines.digest(texts));
      PromptOptions.settings(arguments).forEach(settings::put);
    }
    int concurrency = arguments.integer("concurrency", 1, 4096).orElse(DEFAULT_CONCURRENCY);
    long start = System.nanoTime();
    Series.Done done =
        series.run(settings, concurrency, arguments.integer("batch", 1, 1 << 16), stop);
    int there = done.made() + done.found();
    console
        .out()
        .printf(
            Locale.ROOT,
            "%s in %.2f s%s, router %s, in %s%n",
            RouterCommands.counted(done.made(), "picture"),
            (System.nanoTime() - start) / 1e9,
            done.found() == 0 ? "" : ", " + done.found() + " were there",
            router(series.pipeline(), series.request()),
            series.out());
    if (there < series.count()) {
      throw new HarmonicaException(
          "stopped with %d of %d pictures: run it again to go on".formatted(there, series.count()));
    }
    return CommandRunner.DONE;
  }

  private static void refuseWithoutEffect(Arguments arguments) {
    arguments.refuseBoth("tier", "router");
    arguments.requireOneOf("classes", "prompt", "prompts", "text-embeddings", "pictures");
    arguments.refuseBoth("whole", "steps-per-request");
    if (!arguments.has("prompt") && !arguments.has("prompts")) {
      PromptOptions.refuseAll(arguments, "without --prompt or --prompts");
    }
    if (!arguments.has("triton")) {
      TritonOptions.refuseAll(arguments, "without --triton");
    } else {
      DeviceOptions.refuseAll(arguments, "with --triton: its servers compute");
    }
    if (arguments.has("count")) {
      for (String option : List.of("latents", "save-latents")) {
        arguments.refuseBoth("count", option);
      }
    } else {
      arguments.refuse("batch", "without --count");
      arguments.refuse("concurrency", "without --count");
      arguments.refuse("per-server", "without --count");
    }
    if (RequestOptions.guidance(arguments).orElse(Double.MAX_VALUE) <= 1) {
      arguments.refuse("guidance-channels", "with --guidance up to 1");
    }
  }

  /** Null where none is asked for. */
  private static MetricsPort metrics(Arguments arguments, Console console) {
    if (!arguments.has("metrics-port")) {
      return null;
    }
    MetricsPort port = MetricsPort.open(arguments.requiredText("metrics-port"));
    console.note("metrics at " + port.url());
    return port;
  }

  private static Pipeline open(
      Arguments arguments, String model, MetricsPort metrics, Console console) {
    PipelineBuilder builder = Pipeline.builder(model);
    if (metrics != null) {
      builder.metrics(metrics.metrics());
    }
    if (!arguments.text("steps-per-request").orElse("auto").equals("auto")) {
      builder.stepsPerRequest(arguments.requiredInteger("steps-per-request", 1, 1000));
    }
    if (arguments.has("whole")) {
      builder.whole();
    }
    if (arguments.has("triton")) {
      return builder
          .triton(arguments.requiredText("triton"), TritonOptions.of(arguments, console))
          .open();
    }
    DeviceOptions.settleThreads(arguments);
    return builder
        .repository(arguments.requiredPath("model-repository"))
        .device(DeviceOptions.device(arguments))
        .open();
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
        pipeline
            .router(request.style())
            .map(Router::steps)
            .orElseGet(() -> request.style().steps().orElse(Request.DEFAULT_STEPS));
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
            int pictures = step.latents().capacity() / size;
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
      console.note(
          String.format(
              Locale.ROOT,
              "latents of %d channels need the model's decoder to become pictures (export with --vae): kept in %s",
              latents.channels(),
              file));
      return;
    }
    List<BufferedImage> pictures = Pictures.of(pipeline.decode(latents));
    for (int i = 0; i < pictures.size(); i++) {
      String subject = request.content().name(i);
      Png.write(
          pictures.get(i), out.resolve(String.format(Locale.ROOT, "%04d-%s.png", i, subject)));
    }
    int scale = Math.max(1, 128 / pictures.get(0).getWidth());
    Png.write(new ContactSheet(SHEET_COLUMNS, scale).draw(pictures), out.resolve("sheet.png"));
  }
}
