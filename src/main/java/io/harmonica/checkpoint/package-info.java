/**
 * Reads trained weights, safetensors and torch files, as named tensors, and executes nothing.
 *
 * <p>Read {@link io.harmonica.checkpoint.Checkpoint} first, then {@code SafetensorsHeader}, which
 * shows how a file that lies is refused. {@link io.harmonica.checkpoint.TorchFile} gives the whole
 * tree of a torch file to those who need more than its weights.
 */
package io.harmonica.checkpoint;
