package io.harmonica.results;

import io.harmonica.HarmonicaException;
import io.harmonica.origin.Model;
import io.harmonica.router.Router;
import io.harmonica.sampler.Sampler;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The routers of all cells: made by their rule, or read from the folder of trained ones. */
record CellRouters(Settings settings, Model model, PrintStream out) {
  /** All that there are; says which trained ones are missing, and trains them if it is to. */
  Map<Cell, Router> all() throws IOException, InterruptedException {
    Map<Cell, Router> routers = new LinkedHashMap<>();
    List<String> commands = new ArrayList<>();
    for (Cell cell : Cell.all(settings)) {
      if (cell.method() == Method.FEWER_STEPS) {
        continue;
      }
      Optional<Router> router = cell.method().isTrained() ? trained(cell) : Optional.of(rule(cell));
      router.ifPresent(found -> routers.put(cell, found));
      if (router.isEmpty()) {
        commands.add(cell.command(settings, model));
      }
    }
    if (!commands.isEmpty()) {
      out.printf("trained routers missing: %d; these commands make them:%n", commands.size());
      commands.forEach(missing -> out.println("  " + missing));
    }
    return routers;
  }

  private Router rule(Cell cell) {
    Sampler sampler =
        settings
            .sampling(model)
            .sampler(cell.trajectory().sampler(), cell.steps(), Optional.empty());
    return cell.method()
        .policy(cell.target(model))
        .router(
            cell.name(),
            model.denoiser().architecture(),
            cell.trajectory().sampler(),
            sampler.timesteps(),
            Cell.branches(model));
  }

  private Optional<Router> trained(Cell cell) throws IOException, InterruptedException {
    Path file = settings.routers().resolve(cell.file());
    if (!Files.exists(file) && settings.train()) {
      train(cell);
    }
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Router router = Router.read(file);
    if (router.steps() != cell.steps()) {
      throw new HarmonicaException(
          "router %s is for %d steps, expected %d by its name: train it again"
              .formatted(file, router.steps(), cell.steps()));
    }
    return Optional.of(Digest.named(router, cell.name()));
  }

  private void train(Cell cell) throws IOException, InterruptedException {
    String command = cell.command(settings, model);
    out.println(command);
    int code = new ProcessBuilder(command.split(" +")).inheritIO().start().waitFor();
    if (code != 0) {
      throw new HarmonicaException(
          "the training of %s failed with exit code %d: %s".formatted(cell.name(), code, command));
    }
  }
}
