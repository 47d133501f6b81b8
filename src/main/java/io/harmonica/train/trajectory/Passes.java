package io.harmonica.train.trajectory;

import io.harmonica.model.Change;
import io.harmonica.model.Denoiser;
import io.harmonica.model.Ops;
import io.harmonica.model.Streams;
import io.harmonica.model.Term;
import io.harmonica.torch.TorchOps;
import io.harmonica.torch.Value;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * A model's forward passes, column by column, where a {@link Substitute} is asked for each column's
 * output: it may compute the branches, or take what an earlier step stored.
 *
 * <p>For example, with a run over blocks 2 to 5 among the columns, a pass asks for the branches of
 * blocks 0 and 1, then for the run. Only where the substitute computes the run is it asked for the
 * branches within.
 */
public final class Passes {
  private final TorchOps ops; // adds what a run changed
  private final Ops<Value> interpreter;
  private final String precision;
  private final Denoiser model;
  private final List<Column> columns;
  private long count;

  /**
   * Of a model.
   *
   * @param interpreter of the model, in the numbers that engines will have
   * @param precision their word: {@code fp32}, {@code int8}
   * @param columns of two that share branches one covers the other; a branch without a column is
   *     always computed
   */
  Passes(
      TorchOps ops,
      Ops<Value> interpreter,
      String precision,
      Denoiser model,
      List<Column> columns) {
    this.ops = ops;
    this.interpreter = interpreter;
    this.precision = precision;
    this.model = model;
    this.columns = List.copyOf(columns);
  }

  /** In libtorch's own numbers. */
  static Passes exact(TorchOps ops, Denoiser model, List<Column> columns) {
    return new Passes(ops, ops, ops.precision().name().toLowerCase(Locale.ROOT), model, columns);
  }

  /** The same model and interpreter by other columns. */
  Passes over(List<Column> other) {
    return new Passes(ops, interpreter, precision, model, other);
  }

  String precision() {
    return precision;
  }

  List<Column> columns() {
    return columns;
  }

  /** How many there were so far. */
  long count() {
    return count;
  }

  /**
   * A pass before its first block: the same for student and teacher.
   *
   * @param conditions what depends on timestep and label or text only
   */
  public record Begun(Streams<Value> streams, Map<String, Value> conditions) {}

  /**
   * Begins a pass.
   *
   * @param x samples (B, C, H, W)
   * @param inputs of {@link Denoiser#condition}, by name
   */
  Begun begin(Value x, Map<String, Value> inputs) {
    Map<String, Value> conditions = model.condition(interpreter, inputs::get);
    return new Begun(model.begin(interpreter, x, conditions::get), conditions);
  }

  /** The model's prediction: (B, O, H, W). */
  Value prediction(Begun begun, Substitute route) {
    count++;
    Streams<Value> streams =
        branches(0, model.branches().size(), -1, begun, begun.streams(), route);
    return model.head(interpreter, streams, begun.conditions()::get);
  }

  /** Branches from one to another, the latter excluded; in a run, or in none: -1. */
  private Streams<Value> branches(
      int from, int end, int within, Begun begun, Streams<Value> streams, Substitute route) {
    Streams<Value> now = streams;
    int at = from;
    while (at < end) {
      OptionalInt run = runAt(at, end, within);
      now =
          run.isPresent() ? run(run.getAsInt(), begun, now, route) : branch(at, begun, now, route);
      at = run.isPresent() ? columns.get(run.getAsInt()).last() + 1 : at + 1;
    }
    return now;
  }

  /** The widest run that begins at a branch, within another one. */
  private OptionalInt runAt(int branch, int end, int within) {
    return IntStream.range(0, columns.size())
        .filter(c -> c != within && columns.get(c).isRun())
        .filter(c -> columns.get(c).first() == branch && columns.get(c).last() < end)
        .boxed()
        .max(Comparator.comparingInt(c -> columns.get(c).last()))
        .map(OptionalInt::of)
        .orElseGet(OptionalInt::empty);
  }

  private Streams<Value> branch(int index, Begun begun, Streams<Value> streams, Substitute route) {
    int column = columns.indexOf(Column.branch(index));
    return model.blocks(
        interpreter,
        index,
        index + 1,
        streams,
        begun.conditions()::get,
        (branch, computed) ->
            Term.of(column < 0 ? computed.get() : route.output(column, computed)));
  }

  private Streams<Value> run(int column, Begun begun, Streams<Value> before, Substitute route) {
    Column run = columns.get(column);
    Change change = run.change().orElseThrow();
    Ran ran = new Ran();
    Value output =
        route.output(
            column,
            () -> {
              ran.after = branches(run.first(), run.last() + 1, column, begun, before, route);
              ran.change = change.of(ops, before, ran.after);
              return ran.change;
            });
    return output == ran.change ? ran.after : change.add(ops, before, Term.of(output));
  }

  /** What became of a run whose branches were computed. */
  private static final class Ran {
    Streams<Value> after;
    Value change;
  }
}
