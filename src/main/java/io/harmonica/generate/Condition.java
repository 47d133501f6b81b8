package io.harmonica.generate;

import io.harmonica.model.Shows;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * Makes the inputs that say what to draw: a batch's are the same at every step.
 *
 * @param guided whether guidance doubles the batch
 * @param scale of guidance, for a model that is told it
 * @param times how often the batch is in them, one after the other
 */
record Condition(Runtime runtime, Manifest manifest, boolean guided, double scale, int times) {

  /** The inputs for this content that are asked for; the caller closes them. */
  Map<String, Tensor> of(Content content, Predicate<String> asked) {
    Map<String, Supplier<Tensor>> inputs = new HashMap<>();
    if (content instanceof Content.Texts texts) {
      addTexts(texts, inputs);
    } else if (content instanceof Content.Labels some) {
      inputs.put(Names.CLASS_LABEL, () -> labels(some.labels()));
    }
    inputs.keySet().removeIf(asked.negate());
    return Inputs.of(made -> inputs.forEach((input, tensor) -> made.put(input, tensor.get())));
  }

  /**
   * Labels, and after them for guidance as many null classes, where the model has one, as
   * facebook's DiT and diffusers.
   */
  private Tensor labels(List<Integer> classes) {
    int batch = (guided ? 2 : 1) * classes.size();
    long[] labels = new long[times * batch];
    Arrays.setAll(
        labels,
        row -> row % batch < classes.size() ? classes.get(row % batch) : manifest.classes());
    return runtime.tensor(LongBuffer.wrap(labels), labels.length, 1);
  }

  /** Texts, before them for guidance the negative ones, as diffusers' PixArt. */
  private void addTexts(Content.Texts prompts, Map<String, Supplier<Tensor>> inputs) {
    Shows.Text takes = (Shows.Text) manifest.shows();
    List<Embeddings> all = new ArrayList<>();
    if (guided) {
      all.add(prompts.negative().orElseThrow().as(takes));
    }
    all.add(prompts.positive().as(takes));
    Embeddings texts = Embeddings.of(all);
    inputs.put(Names.TEXT_EMBEDDING, () -> repeated(texts.values(), takes.tokens(), takes.width()));
    if (takes.pooled() > 0) {
      inputs.put(Names.POOLED_TEXT, () -> repeated(texts.pooled(), takes.pooled()));
    }
    if (takes.guided()) {
      inputs.put(Names.GUIDANCE_SCALE, () -> same(texts.count(), (float) scale));
    }
    if (takes.mask()) {
      inputs.put(Names.TEXT_MASK, () -> mask(texts));
    }
    if (takes.pictureSize()) {
      float height = manifest.height() * manifest.pixelsPerElement();
      float width = manifest.width() * manifest.pixelsPerElement();
      inputs.put(Names.RESOLUTION, () -> same(texts.count(), height, width));
      inputs.put(Names.ASPECT_RATIO, () -> same(texts.count(), height / width));
    }
  }

  /** Rows of a shape, so many times. */
  private Tensor repeated(float[] rows, int... shape) {
    FloatBuffer values = FloatBuffer.allocate(times * rows.length);
    for (int i = 0; i < times; i++) {
      values.put(rows);
    }
    long[] all = new long[shape.length + 1];
    int size = 1;
    for (int i = 0; i < shape.length; i++) {
      all[i + 1] = shape[i];
      size *= shape[i];
    }
    all[0] = values.capacity() / size;
    return runtime.tensor(values.flip(), all);
  }

  private Tensor mask(Embeddings texts) {
    LongBuffer values = LongBuffer.allocate(times * texts.mask().length);
    for (int i = 0; i < times; i++) {
      values.put(texts.mask());
    }
    return runtime.tensor(values.flip(), (long) times * texts.count(), texts.tokens());
  }

  /** The same in every row. */
  private Tensor same(int rows, float... row) {
    FloatBuffer values = FloatBuffer.allocate(rows * row.length);
    for (int i = 0; i < rows; i++) {
      values.put(row);
    }
    return repeated(values.array(), row.length);
  }
}
