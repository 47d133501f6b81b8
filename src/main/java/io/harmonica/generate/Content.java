package io.harmonica.generate;

import io.harmonica.InvalidProperty;
import io.harmonica.text.Tokens;
import java.util.List;
import java.util.Optional;

/**
 * What the pictures of a request show: a label or a text for each, or whatever the model draws.
 *
 * <pre>{@code
 * Content shapes = Content.of(List.of(3, 4));                         // a star, a heart
 * Content lighthouse = pipeline.prompts(List.of("a lighthouse"), "", System.err::println);
 * }</pre>
 *
 * <p>Immutable, but for the arrays of {@link Embeddings}; for many threads.
 */
public sealed interface Content {

  /** Labels of a model that takes classes. */
  static Content of(List<Integer> labels) {
    return new Labels(labels);
  }

  /** Pictures of a model that takes neither classes nor texts. */
  static Content anything(int count) {
    return new Anything(count);
  }

  /** That of several requests, one after the other; all of one kind, texts of one size. */
  static Content together(List<Content> parts) {
    if (parts.get(0) instanceof Labels) {
      return new Labels(parts.stream().flatMap(part -> ((Labels) part).labels().stream()).toList());
    }
    if (parts.get(0) instanceof Texts first) {
      List<Texts> texts = parts.stream().map(part -> (Texts) part).toList();
      Embeddings positive = Embeddings.of(texts.stream().map(Texts::positive).toList());
      return new Texts(
          positive,
          first
              .negative()
              .map(
                  some ->
                      Embeddings.of(
                          texts.stream()
                              .map(part -> part.negative().orElseThrow().rows(0, part.count()))
                              .toList())));
    }
    if (parts.get(0) instanceof Tokenized) {
      List<Tokenized> texts = parts.stream().map(part -> (Tokenized) part).toList();
      return new Tokenized(
          texts.stream().flatMap(part -> part.positive().stream()).toList(),
          texts.stream().flatMap(part -> part.negative().stream()).toList());
    }
    return new Anything(parts.stream().mapToInt(Content::count).sum());
  }

  /** How many pictures. */
  int count();

  /** That of pictures {@code from} (inclusive) to {@code to} (exclusive). */
  Content rows(int from, int to);

  /** That of these pictures, in their order; one may come several times. */
  Content select(List<Integer> pictures);

  /** What a file's name says of a picture: {@code class7}, or {@code text0} of the first text. */
  String name(int picture);

  /**
   * A label for each picture.
   *
   * @param labels of the model's classes, from 0
   */
  record Labels(List<Integer> labels) implements Content {
    public Labels {
      labels = List.copyOf(labels);
      if (labels.isEmpty()) {
        throw new InvalidProperty("classes", "is empty, expected a label for each picture");
      }
    }

    @Override
    public int count() {
      return labels.size();
    }

    @Override
    public Labels rows(int from, int to) {
      return new Labels(labels.subList(from, to));
    }

    @Override
    public Labels select(List<Integer> pictures) {
      return new Labels(pictures.stream().map(labels::get).toList());
    }

    @Override
    public String name(int picture) {
      return "class" + labels.get(picture);
    }
  }

  /**
   * Whatever the model draws, which takes neither classes nor texts.
   *
   * @param count of pictures
   */
  record Anything(int count) implements Content {
    public Anything {
      if (count < 1) {
        throw new IllegalArgumentException("%d pictures, expected 1 or more".formatted(count));
      }
    }

    @Override
    public Anything rows(int from, int to) {
      return new Anything(to - from);
    }

    @Override
    public Anything select(List<Integer> pictures) {
      return new Anything(pictures.size());
    }

    @Override
    public String name(int picture) {
      return "picture";
    }
  }

  /**
   * A text for each picture as tokens, which a server embeds with the picture: {@link
   * Pipeline#texts} makes these.
   *
   * @param positive what to draw
   * @param negative what guidance leads away from, as many
   */
  record Tokenized(List<Tokens> positive, List<Tokens> negative) implements Content {
    public Tokenized {
      positive = List.copyOf(positive);
      negative = List.copyOf(negative);
      if (positive.isEmpty() || negative.size() != positive.size()) {
        throw new IllegalArgumentException(
            "%d negative texts for %d pictures, expected as many, and 1 or more"
                .formatted(negative.size(), positive.size()));
      }
    }

    @Override
    public int count() {
      return positive.size();
    }

    @Override
    public Tokenized rows(int from, int to) {
      return new Tokenized(positive.subList(from, to), negative.subList(from, to));
    }

    @Override
    public Tokenized select(List<Integer> pictures) {
      return new Tokenized(
          pictures.stream().map(positive::get).toList(),
          pictures.stream().map(negative::get).toList());
    }

    @Override
    public String name(int picture) {
      return "text" + picture;
    }
  }

  /**
   * A text for each picture, embedded: {@link Pipeline#prompts} makes these.
   *
   * @param positive what to draw, a text a picture
   * @param negative what guidance leads away from: one text for all, or one a picture; without
   *     guidance none is needed
   */
  record Texts(Embeddings positive, Optional<Embeddings> negative) implements Content {
    public Texts {
      if (negative.isPresent()) {
        int texts = negative.get().count();
        if (texts != 1 && texts != positive.count()) {
          throw new IllegalArgumentException(
              "%d negative texts for %d pictures, expected one, or as many"
                  .formatted(texts, positive.count()));
        }
        if (negative.get().width() != positive.width()) {
          throw new IllegalArgumentException(
              "negative texts are embedded %d wide, the others %d; embed them with one encoder"
                  .formatted(negative.get().width(), positive.width()));
        }
      }
    }

    @Override
    public int count() {
      return positive.count();
    }

    @Override
    public Texts rows(int from, int to) {
      return new Texts(positive.rows(from, to), negative.map(texts -> texts.rows(from, to)));
    }

    @Override
    public Texts select(List<Integer> pictures) {
      boolean shared = negative.isPresent() && negative.get().count() == 1;
      return new Texts(
          positive.select(pictures),
          shared ? negative : negative.map(texts -> texts.select(pictures)));
    }

    @Override
    public String name(int picture) {
      return "text" + picture;
    }
  }
}
