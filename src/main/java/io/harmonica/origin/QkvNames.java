package io.harmonica.origin;

import io.harmonica.origin.CheckpointWeights.Source;
import java.util.List;

/** Files whose {@code attn.qkv} holds what the definitions call {@code attn.q}, k and v. */
final class QkvNames {
  private QkvNames() {}

  /** Where a parameter lies; one of anything else has its own name. */
  static Source source(String name) {
    int part = List.of("q", "k", "v").indexOf(name.replaceAll(".*\\.attn\\.([qkv])\\..*", "$1"));
    return part < 0
        ? Source.of(name)
        : Source.part(name.replaceAll("\\.attn\\.[qkv]\\.", ".attn.qkv."), part, 3);
  }
}
