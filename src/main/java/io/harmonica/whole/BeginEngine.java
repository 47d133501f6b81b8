package io.harmonica.whole;

import io.harmonica.Element;
import io.harmonica.HarmonicaException;
import io.harmonica.Port;
import io.harmonica.model.Shows;
import io.harmonica.onnx.Beginning;
import io.harmonica.onnx.Graph;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.repository.Program;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Makes the engine in front of a picture's steps: for every input of the steps an output, from the
 * client's noise and condition, or a constant of the trajectory.
 *
 * @param inputs of the steps
 */
record BeginEngine(WholePicture picture, List<Port> inputs) {

  Graph graph() {
    Manifest manifest = picture.manifest();
    long[] shape = {manifest.channels(), manifest.height(), manifest.width()};
    boolean labelled = manifest.text() == null;
    Beginning begin = new Beginning(Names.NOISE, shape, picture.guides(), labelled);
    begin.sample(Names.rows(Names.SAMPLE), shape);
    begin.scales(Names.rows(Names.GUIDANCE), manifest.guidanceChannels(), manifest.channels());
    begin.halves(Names.rows(Names.CONDITIONAL), Names.rows(Names.UNCONDITIONAL));
    manifest.steps().states().forEach(state -> begin.zeros(Names.rows(state), shape));
    condition(begin);
    Map<String, Port> ports = new HashMap<>();
    inputs.forEach(port -> ports.put(port.name(), port));
    steps(begin, ports);
    requireAll(begin.graph());
    return begin.graph();
  }

  private void condition(Beginning begin) {
    Manifest manifest = picture.manifest();
    if (manifest.shows() instanceof Shows.Classes classes) {
      begin.labels(Names.CLASS_LABEL, Names.rows(Names.CLASS_LABEL), classes.count());
    } else if (manifest.shows() instanceof Shows.Text text) {
      long tokens = text.tokens();
      if (picture.embeds()) {
        text(begin, Names.INPUT_IDS, Element.INT64, tokens);
      } else {
        text(begin, Names.TEXT_EMBEDDING, Element.FP32, tokens, text.width());
      }
      if (text.mask()) {
        text(begin, Names.TEXT_MASK, Element.INT64, tokens);
      }
      if (text.pooled() > 0) {
        text(begin, Names.POOLED_TEXT, Element.FP32, text.pooled());
      }
      if (picture.isToldGuidance()) {
        begin.scale(Names.rows(Names.GUIDANCE_SCALE));
      }
      if (text.pictureSize()) {
        float height = manifest.height() * manifest.pixelsPerElement();
        float width = manifest.width() * manifest.pixelsPerElement();
        begin.constant(Names.rows(Names.RESOLUTION), new float[] {height, width}, 2);
        begin.constant(Names.rows(Names.ASPECT_RATIO), new float[] {height / width}, 1);
      }
    }
  }

  private void text(Beginning begin, String input, Element type, long... shape) {
    if (picture.guides()) {
      begin.texts(input, Names.negative(input), Names.rows(input), type, shape);
    } else {
      begin.texts(input, Names.rows(input), type, shape);
    }
  }

  /** What differs from step to step. */
  private void steps(Beginning begin, Map<String, Port> ports) {
    Program.Call call = picture.call();
    for (int step = 0; step < call.steps(); step++) {
      String timestep = call.tensor(Names.TIMESTEP, step);
      if (ports.get(timestep).type() == Element.INT64) {
        begin.constant(Names.rows(timestep), picture.sampler().timesteps().whole(step));
      } else {
        float time = (float) picture.sampler().timesteps().get(step);
        begin.constant(Names.rows(timestep), new float[] {time}, 1);
      }
      float[] numbers = picture.numbers().get(step);
      begin.constant(Names.rows(call.tensor(Names.UPDATE, step)), numbers, numbers.length);
    }
    call.weights().entrySet().stream()
        .sorted(Map.Entry.comparingByKey())
        .forEach(
            entry -> {
              float[][] rows = entry.getValue();
              float[] all = new float[rows.length * rows[0].length];
              for (int i = 0; i < all.length; i++) {
                all[i] = rows[i / rows[0].length][i % rows[0].length];
              }
              begin.constant(Names.rows(entry.getKey()), all, rows.length, rows[0].length);
            });
  }

  /** A model may take what this version knows nothing of. */
  private void requireAll(Graph graph) {
    List<String> made = graph.outputs().stream().map(Port::name).toList();
    for (Port port : inputs) {
      boolean embedded = picture.embeds() && port.name().equals(Names.TEXT_EMBEDDING);
      if (!embedded && !made.contains(Names.rows(port.name()))) {
        throw new HarmonicaException(
            HarmonicaException.Kind.MODEL,
            "model %s takes '%s', which no picture in one request can give it: leave out `picture`"
                .formatted(picture.manifest().model(), port.name()));
      }
    }
  }
}
