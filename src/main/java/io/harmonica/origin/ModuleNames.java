package io.harmonica.origin;

import io.harmonica.origin.CheckpointWeights.Source;
import java.util.List;
import java.util.Map;

/**
 * How a file calls the modules of a definition, and where parameters lie that it keeps together.
 * Names are those of modules, or of single parameters where only these differ.
 *
 * @param outside of modules beside the blocks
 */
record ModuleNames(Map<String, Source> outside, List<Blocks> blocks) {

  /**
   * Blocks of a kind.
   *
   * @param ours what the definition calls them: {@code transformer_blocks}
   * @param modules of each
   */
  record Blocks(String ours, String theirs, Map<String, Source> modules) {}

  /** Where a parameter of the definition lies. */
  Source source(String name) {
    for (Blocks kind : blocks) {
      if (name.startsWith(kind.ours() + ".")) {
        String[] words = name.split("\\.", 3);
        return source(kind.theirs() + "." + words[1] + ".", kind.modules(), words[2]);
      }
    }
    return source("", outside, name);
  }

  private static Source source(String prefix, Map<String, Source> modules, String name) {
    Source parameter = modules.get(name);
    if (parameter != null) {
      return parameter.in(prefix + parameter.tensor());
    }
    int dot = name.lastIndexOf('.');
    Source module = modules.get(name.substring(0, dot));
    return module.in(prefix + module.tensor() + name.substring(dot));
  }
}
