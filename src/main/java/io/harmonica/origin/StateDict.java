package io.harmonica.origin;

import io.harmonica.HarmonicaException;
import io.harmonica.checkpoint.Checkpoint;
import java.util.List;

/**
 * Weights without a configuration: their shapes say how large the model is.
 *
 * @param origin the repository whose names they have, for messages
 */
record StateDict(Checkpoint checkpoint, String origin) {
  /** The dimensions of a weight that must be there. */
  List<Long> shape(String name, int rank) {
    if (!checkpoint.names().contains(name)) {
      throw Missing.weight(checkpoint, name, "", "is it a checkpoint of " + origin + "?");
    }
    List<Long> shape = checkpoint.tensor(name).shape();
    if (shape.equals(List.of(0L))) {
      throw new HarmonicaException(
          "%s: weight %s is empty, as DeepSpeed's ZeRO-3 leaves it: merge its files with the zero_to_fp32.py beside them"
              .formatted(checkpoint.path(), name));
    }
    if (shape.size() != rank || shape.stream().anyMatch(size -> size < 1 || size > 1 << 24)) {
      throw new HarmonicaException(
          "%s: weight %s has shape %s, expected %d dimensions"
              .formatted(checkpoint.path(), name, shape, rank));
    }
    return shape;
  }

  int size(String name, int rank, int dimension) {
    return Math.toIntExact(shape(name, rank).get(dimension));
  }

  /** Height and width of a sample as trained, in tokens. */
  int side() {
    return side(0, "");
  }

  /**
   * The same where other tokens come first.
   *
   * @param extra how many
   * @param words what they are, for the message
   */
  int side(int extra, String words) {
    int positions = size("pos_embed", 3, 1);
    int tokens = positions - extra;
    int side = (int) Math.round(Math.sqrt(Math.max(0, tokens)));
    if (tokens < 1 || side > DiffusersFields.MAX_SIDE || side * side != tokens) {
      throw new HarmonicaException(
          "%s: pos_embed has %d positions, expected a square number up to %d%s"
              .formatted(
                  checkpoint.path(),
                  positions,
                  DiffusersFields.MAX_SIDE * DiffusersFields.MAX_SIDE,
                  words));
    }
    return side;
  }

  int depth() {
    return blocks("blocks");
  }

  /** How many blocks there are of this name; one at least. */
  int blocks(String name) {
    return count(name + ".%d.attn.qkv.weight");
  }

  /** How many weights there are of this name with a number in it, from 0; one at least. */
  int count(String numbered) {
    shape(numbered.formatted(0), 2);
    int count = 1;
    while (checkpoint.names().contains(numbered.formatted(count))) {
      count++;
    }
    return count;
  }

  int outputChannels(int channels, int patch) {
    long rows = shape("final_layer.linear.weight", 2).get(0);
    int out = Math.toIntExact(rows / ((long) patch * patch));
    if (rows % ((long) patch * patch) != 0 || !DiffusersFields.fitsOutput(channels, out)) {
      throw new HarmonicaException(
          "%s: final_layer.linear.weight has %d rows for patches of %d x %d, expected output channels of %s"
              .formatted(checkpoint.path(), rows, patch, patch, DiffusersFields.output(channels)));
    }
    return out;
  }
}
