package io.harmonica.repository;

/**
 * Where an engine stands in a step, so that one engine without weights can serve many blocks: its
 * ports say {@code block.modulation} and {@code output.1}, and at block 3's MLP these are {@code
 * block03.modulation} and {@code block03.mlp.1}.
 *
 * @param block that {@code block.} stands for; empty where the engine says it itself
 * @param output the branch or run that {@code output} stands for, alike
 * @param since how many engines of the step ran before those whose change it makes; the streams
 *     that they found are its {@code before.}
 */
record Place(String block, String output, int since) {
  /** Of an engine whose ports have their own names. */
  static final Place OWN = new Place("", "", 0);

  /** The tensor of a step that a port is, in its single step's name. */
  String tensor(String port) {
    if (!block.isEmpty() && port.startsWith(Names.BLOCK + ".")) {
      return block + port.substring(Names.BLOCK.length());
    }
    boolean ofOutput = port.equals(Names.OUTPUT) || port.startsWith(Names.OUTPUT + ".");
    return !output.isEmpty() && ofOutput ? output + port.substring(Names.OUTPUT.length()) : port;
  }
}
