package io.harmonica.generate;

import io.harmonica.model.Shows;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.runtime.Runtime;
import io.harmonica.runtime.Tensor;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the inputs that say what to draw: a batch's are the same at every step.
 *
 * @param guided whether guidance doubles the batch
 * @param scale of guidance, for a model that is told it
 * @param times how often the batch is in them, one after the other
 */
record Condition(Runtime runtime, Manifest manifest, boolean guided, double scale, int times) {

  /** The inputs for this content; the caller closes them. */
  Map<String, Tensor> of(Content content) {
    if (content instanceof Content.Texts texts) {
      return texts(texts);
    }
    return content instanceof Content.Labels some ? labels(some.labels()) : Map.of();
  }

  /**
   * Labels, and after them for guidance as many null classes, where the model has one, as
   * facebook's DiT and diffusers.
   */
  private Map<String, Tensor> labels(List<Integer> classes) {
    int batch = (guided ? 2 : 1) * classes.size();
    long[] labels = new long[times * batch];
    Arrays.setAll(
        labels,
        row -> row % batch < classes.size() ? classes.get(row % batch) : manifest.classes());
    return Map.of(Names.CLASS_LABEL, runtime.tensor(LongBuffer.wrap(labels), labels.length, 1));
  }

  /** Texts, before them for guidance the negative ones, as diffusers' PixArt. */
  private Map<String, Tensor> texts(Content.Texts prompts) {
    Shows.Text takes = (Shows.Text) manifest.shows();
    Embeddings texts = prompts.positive().as(takes);
    int batch = times * (guided ? 2 : 1) * texts.count();
    FloatBuffer values = FloatBuffer.allocate(batch * takes.tokens() * takes.width());
    LongBuffer mask = LongBuffer.allocate(batch * takes.tokens());
    FloatBuffer pooled = FloatBuffer.allocate(batch * takes.pooled());
    for (int i = 0; i < times; i++) {
      if (guided) {
        Embeddings negative = prompts.negative().orElseThrow().as(takes);
        values.put(negative.values());
        mask.put(negative.mask());
        pooled.put(negative.pooled());
      }
      values.put(texts.values());
      mask.put(texts.mask());
      pooled.put(texts.pooled());
    }
    Map<String, Tensor> inputs = new HashMap<>();
    inputs.put(
        Names.TEXT_EMBEDDING, runtime.tensor(values.flip(), batch, takes.tokens(), takes.width()));
    if (takes.pooled() > 0) {
      inputs.put(Names.POOLED_TEXT, runtime.tensor(pooled.flip(), batch, takes.pooled()));
    }
    if (takes.guided()) {
      float[] scales = new float[batch];
      Arrays.fill(scales, (float) scale);
      inputs.put(Names.GUIDANCE_SCALE, runtime.tensor(FloatBuffer.wrap(scales), batch, 1));
    }
    if (takes.mask()) {
      inputs.put(Names.TEXT_MASK, runtime.tensor(mask.flip(), batch, takes.tokens()));
    }
    if (takes.pictureSize()) {
      float height = manifest.height() * manifest.pixelsPerElement();
      float width = manifest.width() * manifest.pixelsPerElement();
      FloatBuffer sizes = FloatBuffer.allocate(2 * batch);
      FloatBuffer ratios = FloatBuffer.allocate(batch);
      for (int i = 0; i < batch; i++) {
        sizes.put(height).put(width);
        ratios.put(height / width);
      }
      inputs.put(Names.RESOLUTION, runtime.tensor(sizes.flip(), batch, 2));
      inputs.put(Names.ASPECT_RATIO, runtime.tensor(ratios.flip(), batch, 1));
    }
    return inputs;
  }
}
