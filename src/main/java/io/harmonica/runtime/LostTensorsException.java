package io.harmonica.runtime;

import io.harmonica.HarmonicaException;
import java.util.Set;
import java.util.TreeSet;

/**
 * Inputs of a call are gone with the server that kept them, as those in its device memory are. The
 * call did not run. Whoever can make the inputs again may do so, and call again; the runtime has
 * somewhere to run them.
 *
 * <p>Tensors that travel on the wire lie in this process, and regions of shared memory are its own:
 * none of them is ever lost.
 */
public final class LostTensorsException extends HarmonicaException {
  private final transient Set<String> inputs;

  /**
   * Says what is lost.
   *
   * @param server that kept them
   * @param inputs of the call, by name
   */
  public LostTensorsException(String server, Set<String> inputs) {
    super(
        "%s went away with cached outputs %s: start the generation again"
            .formatted(server, new TreeSet<>(inputs)));
    this.inputs = Set.copyOf(inputs);
  }

  public Set<String> inputs() {
    return inputs;
  }
}
