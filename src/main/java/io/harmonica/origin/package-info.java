/**
 * Reads what others wrote: finds in foreign checkpoints and configurations which model they hold.
 *
 * <p>Read {@link io.harmonica.origin.Model} first, which recognises a checkpoint, then {@code
 * DitCheckpoint}, one reader from names of weights to a model, and {@code Unread}, which refuses
 * what nobody understood.
 */
package io.harmonica.origin;
