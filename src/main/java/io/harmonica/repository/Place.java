package io.harmonica.repository;

import io.harmonica.model.StreamLives;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where an engine stands in a step, so that one engine without weights can serve many blocks: its
 * ports say {@code block.modulation} and {@code output.1}, and at block 3's MLP these are {@code
 * block03.modulation} and {@code block03.mlp.1}.
 *
 * @param block that {@code block.} stands for; empty where the engine says it itself
 * @param output the branch or run that {@code output} stands for, alike
 * @param since how many engines of the step ran before those whose change it makes; the streams
 *     that they found are its {@code before.}
 * @param streams a step's, by what the engine calls them where that is something else
 */
record Place(String block, String output, int since, Map<String, String> streams) {
  /** Of an engine whose ports have their own names. */
  static final Place OWN = new Place("", "", 0, Map.of());

  /** Of an engine that serves any block. */
  static Place of(String block, String output) {
    return new Place(block, output, 0, Map.of());
  }

  /** Of an engine that serves any run which changes as many streams. */
  static Place of(String run, int since, List<StreamLives.Stream> streams) {
    List<StreamLives.Stream> shared = StreamLives.Stream.shared(streams);
    Map<String, String> own = new HashMap<>();
    for (int i = 0; i < streams.size(); i++) {
      own.put(shared.get(i).name(), streams.get(i).name());
    }
    return new Place("", run, since, own);
  }

  /** The stream of a step that the engine calls so. */
  String stream(String name) {
    return streams.getOrDefault(name, name);
  }

  /** The tensor of a step that a port is, in its single step's name. */
  String tensor(String port) {
    if (!block.isEmpty() && port.startsWith(Names.BLOCK + ".")) {
      return block + port.substring(Names.BLOCK.length());
    }
    boolean ofOutput = port.equals(Names.OUTPUT) || port.startsWith(Names.OUTPUT + ".");
    return !output.isEmpty() && ofOutput
        ? output + port.substring(Names.OUTPUT.length())
        : stream(port);
  }
}
