package io.harmonica.model;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What pruning left of a model, each as a part of what the whole one has.
 *
 * @param flops of a pass
 * @param parameters of the model
 * @param channels of those MLPs that can be narrowed
 */
public record Pruned(double flops, double parameters, double channels) {

  /** Of a model; empty if it is whole. */
  public static Optional<Pruned> of(Denoiser model) {
    Denoiser whole = model.whole();
    return model == whole
        ? Optional.empty()
        : Optional.of(
            new Pruned(
                (double) flops(model) / flops(whole),
                (double) parameters(model) / parameters(whole),
                (double) channels(model) / channels(whole)));
  }

  private static long flops(Denoiser model) {
    return Shapes.flops(model, Weights.NONE).full();
  }

  private static long parameters(Denoiser model) {
    Map<String, Long> sizes = new HashMap<>();
    Shapes.flops(
        model,
        new Weights() {
          @Override
          public void require(String name, long... shape) {
            long size = 1;
            for (long length : shape) {
              size *= length;
            }
            sizes.put(name, size);
          }

          @Override
          public float[] read(String name, long... shape) {
            throw new IllegalStateException("only counted: " + name);
          }
        });
    return sizes.values().stream().mapToLong(Long::longValue).sum();
  }

  private static long channels(Denoiser model) {
    return Mlp.of(model).stream().mapToLong(Mlp::width).sum();
  }
}
