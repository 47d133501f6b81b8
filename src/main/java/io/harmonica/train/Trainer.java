package io.harmonica.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.harmonica.AtomicFile;
import io.harmonica.HarmonicaException;
import io.harmonica.Library;
import io.harmonica.picture.ImageHeatMap;
import io.harmonica.router.Router;
import io.harmonica.router.Savings;
import io.harmonica.sampler.Diffusion;
import io.harmonica.torch.Scope;
import io.harmonica.torch.TorchOps;
import io.harmonica.train.search.Exchange;
import io.harmonica.train.search.Measure;
import io.harmonica.train.search.Measure.Routing;
import io.harmonica.train.search.Target;
import io.harmonica.train.trajectory.Batch;
import io.harmonica.train.trajectory.Denoising;
import io.harmonica.train.trajectory.Purpose;
import io.harmonica.train.trajectory.Walk;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Trains a router: iterations of an objective, lambda refreshed and beta steered between them, a
 * state to resume from, and at the end the table that meets the target.
 */
public final class Trainer {
  private static final double SAVE_SECONDS = 20;

  private final Task task;
  private final TrainOptions options;
  private final TrainingFiles files;
  private final Progress progress;
  private final Denoising denoising;
  private final Columns columns;
  private final SoftRouting routing;
  private final Optional<Target> target;
  private final boolean[] trainable;
  private final long started = System.nanoTime();
  private volatile State state; // after the last whole iteration, or round of exchange
  private double earlier; // seconds of the runs before

  /**
   * Makes one for a model and options.
   *
   * @throws HarmonicaException if the router to start from does not fit
   */
  public Trainer(
      Task task, TorchOps ops, TrainOptions options, TrainingFiles files, Progress progress) {
    this(task, denoising(task, ops, options.trajectory()), options, files, progress);
  }

  /** What trainings of one trajectory can share: uncached pictures are drawn once then. */
  public static Denoising denoising(Task task, TorchOps ops, TrainOptions.Trajectory trajectory) {
    return new Denoising(
        ops,
        task.model(),
        task.sampler(),
        trajectory.guidance(),
        trajectory.guidanceChannels(),
        task.captions());
  }

  /**
   * Makes one that measures with others.
   *
   * @param denoising of the task and the options' trajectory
   */
  public Trainer(
      Task task,
      Denoising denoising,
      TrainOptions options,
      TrainingFiles files,
      Progress progress) {
    Library.XCHART.require(); // or the curves of a long training would be missed at its end
    this.task = task;
    this.options = options;
    this.files = files;
    this.progress = progress;
    options.start().requireFits(task.model(), task.steps());
    options.trajectory().requireGuides(task.model());
    this.columns = Columns.of(options.reuse().grain(), task.model());
    this.denoising = denoising.over(columns.all());
    this.routing =
        new SoftRouting(denoising.ops(), options.reuse().rule().forecast(), options.threshold());
    this.trainable = options.objective().trainable(task.sampler());
    this.target = options.control().target(columns, task.flops(), trainable);
  }

  /**
   * Trains, from the start or from a state that an earlier run left.
   *
   * @throws HarmonicaException if the loss is no number, or the state is of another training; the
   *     last good state is saved
   */
  public Router run(Optional<Path> resume) {
    state = resume.map(this::resumed).orElseGet(this::fresh);
    earlier = state.allSeconds();
    TrainingLog log = TrainingLog.open(files.log(), state);
    try {
      iterate(log);
      Router router = finish(log);
      router.write(files.router());
      AtomicFile.write(files.curves(), Curves.png(log));
      AtomicFile.write(files.heatMap(), ImageHeatMap.png(router));
      return router;
    } catch (RuntimeException e) {
      if (state.isFresh()) {
        log.discard(e);
      }
      throw TorchOps.isOutOfMemory(e)
          ? Memory.exhausted(options.effort().batch(), this::fits, e)
          : e;
    } finally {
      save();
    }
  }

  /** Whether a training step of so many pictures fits the device's memory. */
  private boolean fits(int batch) {
    Table table = fresh().table();
    Batch drawn = denoising.draw(batch, 0);
    try (Walk walk = Walk.start(denoising, drawn, routing.history(), 0)) {
      denoising.advance(walk, first -> routing.soft(first, table));
      try (Scope scope = Scope.open()) {
        Sdt.gradient(denoising, routing, table, walk);
      }
      return true;
    } catch (RuntimeException e) {
      if (TorchOps.isOutOfMemory(e)) {
        return false;
      }
      throw e;
    }
  }

  private Router finish(TrainingLog log) {
    Table table = state.table();
    boolean[][] computes = landed(table);
    Target held = target.orElseGet(() -> Target.asItIs(computes, columns.flops(task.flops())));
    ObjectNode training = state.settings().deepCopy(); // as in the last iteration
    training.put("iterations", state.iterations()).put("checkpoint", task.digest());
    training.put("beta", state.steering().beta());
    if (options.objective() == TrainOptions.Objective.LTC) {
      training.put("pictures", "%d, generated by the checkpoint".formatted(Ltc.PICTURES));
    }
    Finish finish = new Finish(task, columns, denoising, routing, options, held, progress);
    List<Routing> candidates = new ArrayList<>(List.of(finish.landed(table, computes)));
    if (target.isPresent() && state.iterations() > 0 && !options.start().equals(Start.RANDOM)) {
      Table start = fresh().table();
      candidates.add(finish.landed(start, landed(start)));
    }
    Router router =
        finish.router(table, candidates, trainable, state.exchanged(), training, exchanging(log));
    training.put("trainingSeconds", Math.round(state.seconds()));
    training.put("seconds", Math.round(seconds()));
    Memory.peakBytes().ifPresent(bytes -> training.put("peakMemoryBytes", bytes));
    return router;
  }

  private boolean[][] landed(Table table) {
    return target
        .map(held -> Landing.land(table, trainable, held))
        .orElseGet(() -> table.computes(options.threshold()));
  }

  /** Writes the state after the last whole iteration or round; any thread may call it. */
  public synchronized void save() {
    State last = state;
    if (last != null && !last.isFresh()) {
      last.write(files.state());
    }
  }

  private void iterate(TrainingLog log) {
    if (state.iterations() >= options.effort().iterations()) {
      return;
    }
    Table table = state.table().copy();
    Steering steering = new Steering(target, state.steering());
    float[] lambda = state.lambda().clone();
    Objective objective = objective();
    Iepo iepo = new Iepo(denoising, routing);
    double saved = seconds();
    progress.begin("training", options.effort().iterations() - state.iterations());
    for (int i = state.iterations(); i < options.effort().iterations(); i++) {
      if (i % options.weights().every() == 0) {
        lambda =
            iepo.lambda(
                options.weights().lambda(),
                table,
                draw(Purpose.LAMBDA.seed(options.effort().seed(), i)));
        log.lambda(i, lambda);
        lambda = target.isPresent() ? overItsMean(lambda) : lambda;
      }
      Updates updates =
          new Updates(table, lambda, steering.beta(), options.effort().learningRate());
      objective.iterate(table, draw(Batch.mix(options.effort().seed(), i)), updates);
      boolean[][] heading = table.heading(options.threshold(), Steering.AHEAD);
      steering.adjust(i == 0, updates.losses(), heading, lambda, trainable);
      report(log, i, updates, table, steering.beta());
      state =
          new State(
              State.FORMAT,
              task.digest(),
              describe(),
              i + 1,
              table.copy(),
              steering.state(),
              lambda.clone(),
              null,
              seconds());
      if (seconds() - saved > SAVE_SECONDS) {
        save();
        saved = seconds();
      }
    }
  }

  /**
   * Where beta is steered only the ratios count. So the loss keeps its size from one refresh to the
   * next, which AdamW's long memory of the gradients' would else hold against the later ones.
   */
  private static float[] overItsMean(float[] lambda) {
    double sum = 0;
    for (float value : lambda) {
      sum += value;
    }
    float[] scaled = lambda.clone();
    for (int s = 0; s < scaled.length && sum > 0; s++) {
      scaled[s] *= (float) ((scaled.length - 1) / sum);
    }
    return scaled;
  }

  private void report(TrainingLog log, int iteration, Updates updates, Table table, double beta) {
    double loss = updates.losses().stream().mapToDouble(Updates.Loss::total).sum();
    double mse = updates.losses().stream().mapToDouble(Updates.Loss::mse).sum();
    boolean[][] computes = table.computes(options.threshold());
    Savings savings = task.savings(columns, computes, table, options.threshold());
    log.iteration(iteration, loss, mse, savings, beta, seconds());
    progress.advance(
        String.format(
            Locale.ROOT,
            "loss %.3g, CUR %.3f, speedup %.2f",
            loss,
            savings.cur(),
            savings.theoreticalSpeedup().orElseThrow()));
  }

  private Exchange.Observer exchanging(TrainingLog log) {
    return new Exchange.Observer() {
      @Override
      public void probed(double error) {
        progress.advance(String.format(Locale.ROOT, "error %.3g", error));
      }

      @Override
      public void round(int round, Measure.Rated best, boolean last) {
        log.exchange(round, best.error(), seconds());
        state =
            state.withExchanged(
                new State.Exchanged(best.routing().computes(), round + 1, last, seconds()));
        save();
      }
    };
  }

  private Objective objective() {
    if (options.objective() == TrainOptions.Objective.SDT) {
      return new Sdt(denoising, routing, options.weights().lambda() == TrainOptions.Lambda.GAIN);
    }
    progress.begin("generating the pictures to train on", Ltc.PICTURES);
    Ltc.Pictures pictures =
        Ltc.Pictures.generate(
            denoising,
            options.effort().batch(),
            denoising.nullClass(),
            Purpose.PICTURES.seed(options.effort().seed(), 0),
            () -> progress.advance(""));
    return new Ltc(
        denoising.unguided(), routing, pictures, task.predicts(), task.signal(), trainable);
  }

  private Batch draw(long seed) {
    return denoising.draw(options.effort().batch(), seed);
  }

  private State fresh() {
    float[][] logits =
        options
            .start()
            .logits(
                task.steps(), task.branches(), columns, options.effort().seed(), trainable, target);
    return new State(
        State.FORMAT,
        task.digest(),
        describe(),
        0,
        Table.of(logits, options.reuse().rule().weights()),
        Steering.State.fresh(task.steps(), columns.count(), options.control().firstBeta()),
        new float[task.steps()],
        null,
        0);
  }

  private State resumed(Path file) {
    State read =
        State.read(
            file, task.digest(), describe(), columns.count(), options.reuse().rule().weights());
    if (read.iterations() > options.effort().iterations()) {
      throw new HarmonicaException(
          "`resume` %s has %d iterations, more than `iterations` %d: ask for as many or more"
              .formatted(file, read.iterations(), options.effort().iterations()));
    }
    boolean trains = read.iterations() < options.effort().iterations();
    if (trains && read.exchanged() != null) { // what is exchanged is the table after all of them
      throw new HarmonicaException(
          "`resume` %s has exchanged branches after %d iterations (rounds: %d), which `iterations` %d would drop: give `iterations` %d to go on, or train anew"
              .formatted(
                  file,
                  read.iterations(),
                  read.exchanged().rounds(),
                  options.effort().iterations(),
                  read.iterations()));
    }
    if (trains && options.effort().learningRate() < read.learningRate()) {
      progress.note(
          "learning rate %s from iteration %d on, %s before"
              .formatted(options.effort().learningRate(), read.iterations(), read.learningRate()));
    }
    return read;
  }

  private ObjectNode describe() {
    ObjectNode json = options.describe();
    json.put("resolution", task.model().io().resolution().toString());
    json.put("precision", denoising.precision());
    if (!task.noising().equals(Diffusion.DDPM)) {
      json.put("diffusion", task.noising().toString());
    }
    task.captions()
        .ifPresent(c -> json.put("captions", c.count()).put("captionsDigest", c.digest()));
    return json;
  }

  private double seconds() {
    return earlier + (System.nanoTime() - started) / 1e9;
  }
}
