package io.harmonica.model;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.function.Function;

/**
 * What the blocks of a pass hand on, by name: {@value #HIDDEN}, the tokens, and whatever else a
 * model needs further on, as a long skip or a text that changes from block to block.
 *
 * <p>Immutable: {@code with} and {@code without} give another.
 */
public final class Streams<T> {
  /** The stream that every model has: its tokens, (B, N, D). */
  public static final String HIDDEN = "hidden";

  private final Map<String, T> made; // in this part of the pass
  private final Function<String, T> before;

  private Streams(Map<String, T> made, Function<String, T> before) {
    this.made = made;
    this.before = before;
  }

  /** Those of a pass at its beginning: the tokens. */
  public static <T> Streams<T> of(T hidden) {
    return Streams.<T>from(
            name -> {
              throw new NoSuchElementException("no stream '" + name + "'");
            })
        .with(HIDDEN, hidden);
  }

  /**
   * Those of a part of a pass, which begins with what others made.
   *
   * @param before gives a stream that an earlier part handed on; asked for what is needed only
   */
  public static <T> Streams<T> from(Function<String, T> before) {
    return new Streams<>(Map.of(), before);
  }

  /** The tokens: (B, N, D). */
  public T hidden() {
    return get(HIDDEN);
  }

  public T get(String name) {
    T own = made.get(name);
    return own != null ? own : before.apply(name);
  }

  /** The same with this tensor for a stream. */
  public Streams<T> with(String name, T tensor) {
    Map<String, T> more = new LinkedHashMap<>(made);
    more.put(name, tensor);
    return new Streams<>(more, before);
  }

  /** The same with other tokens. */
  public Streams<T> withHidden(T hidden) {
    return with(HIDDEN, hidden);
  }

  /** The same without a stream that nobody needs any more. */
  public Streams<T> without(String name) {
    Map<String, T> less = new LinkedHashMap<>(made);
    less.remove(name);
    return new Streams<>(less, before);
  }

  /** What this part of the pass made and hands on. */
  public Map<String, T> made() {
    return Collections.unmodifiableMap(made); // in their order, which engines keep
  }
}
