/**
 * Interprets a model definition on libtorch tensors, with gradients, on CPU or GPU.
 *
 * <p>Read {@link io.harmonica.torch.TorchOps} first, then {@link io.harmonica.torch.Scope}, which
 * owns the native memory. libtorch is optional: {@link io.harmonica.torch.Device#of} says what is
 * missing, and nothing but training needs it.
 */
package io.harmonica.torch;
