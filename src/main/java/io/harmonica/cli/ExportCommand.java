package io.harmonica.cli;

import io.harmonica.HarmonicaException;
import java.util.List;
import org.apache.commons.cli.Options;

/** {@code harmonica-export}: writes a model repository from a checkpoint. */
final class ExportCommand implements Command {
  // SEAM: the main session writes this command; replace the whole file.

  @Override
  public String name() {
    return "harmonica-export";
  }

  @Override
  public String summary() {
    return "write a Triton model repository from a checkpoint";
  }

  @Override
  public List<String> usage() {
    return List.of("--checkpoint PATH --model-repository DIR");
  }

  @Override
  public Options options() {
    return new OptionList().options();
  }

  @Override
  public List<String> examples() {
    return List.of();
  }

  @Override
  public int run(Arguments arguments, Console console) {
    throw new HarmonicaException("the export command is not part of this build yet");
  }
}
