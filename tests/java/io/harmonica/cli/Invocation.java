package io.harmonica.cli;

import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import io.harmonica.router.Router;
import io.harmonica.sampler.Diffusion;
import io.harmonica.sampler.Sampling;
import io.harmonica.sampler.Spacing;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

/** One command line run in this process, and what it said. */
public record Invocation(int code, String out, String err) {

  /** Runs with the models of files on disk. */
  public static Invocation of(String... args) {
    return run(new ModelFiles(), args);
  }

  /** Runs with a model of two blocks, which is exported with the given routers. */
  static Invocation withRouters(List<Router> routers, String... args) {
    return run(new TwoBlocks(routers), args);
  }

  private static Invocation run(Models models, String... args) {
    return run(console -> Harmonica.run(Harmonica.commands(models), args, console));
  }

  /** The export's own command line. */
  public static Invocation export(String... args) {
    return run(console -> HarmonicaExport.run(args, console.out(), console.err()));
  }

  static Invocation run(java.util.function.ToIntFunction<Console> body) {
    var out = new ByteArrayOutputStream();
    var err = new ByteArrayOutputStream();
    var console =
        new Console(
            new PrintStream(out, true, StandardCharsets.UTF_8),
            new PrintStream(err, true, StandardCharsets.UTF_8));
    int code = body.applyAsInt(console);
    return new Invocation(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  private record TwoBlocks(List<Router> routers) implements Models {
    private static final ModelCard CARD =
        new ModelCard(
            "DiT-2x8/2",
            List.of("block00.attention", "block00.mlp", "block01.attention", "block01.mlp"),
            new Flops(10, Collections.nCopies(4, 10L)),
            CacheBytes.of(Collections.nCopies(4, 128L)),
            Sampling.of(Diffusion.DDPM, "ddim", Spacing.LEADING, true),
            Optional.empty());

    @Override
    public ModelCard checkpoint(Path path, io.harmonica.origin.Choices choices) {
      return CARD;
    }

    @Override
    public ModelCard architecture(String preset) {
      return CARD;
    }

    @Override
    public Exported exported(Path repository, String model) {
      return new Exported(CARD, routers);
    }
  }
}
