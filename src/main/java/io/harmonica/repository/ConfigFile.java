package io.harmonica.repository;

import com.google.protobuf.TextFormat;
import io.harmonica.HarmonicaException;
import io.harmonica.repository.proto.ModelConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.logging.Level;
import java.util.logging.Logger;

/** The {@code config.pbtxt} of a model folder: protobuf's text format. */
public final class ConfigFile {
  public static final String NAME = "config.pbtxt";

  // A fleet's own models use fields that this project has no use for.
  private static final TextFormat.Parser PARSER =
      TextFormat.Parser.newBuilder().setAllowUnknownFields(true).build();

  // The parser would log each of them.
  private static final Logger PARSER_LOG = Logger.getLogger(TextFormat.class.getName());

  static {
    PARSER_LOG.setLevel(Level.OFF);
  }

  private ConfigFile() {}

  public static String print(ModelConfig config) {
    return TextFormat.printer().escapingNonAscii(false).printToString(config);
  }

  /**
   * Reads the configuration of a model.
   *
   * @param folder of the model, in a repository
   */
  public static ModelConfig read(Path folder) {
    Path path = folder.resolve(NAME);
    try {
      return parse(Files.readString(path), path.toString());
    } catch (NoSuchFileException e) {
      throw new HarmonicaException(
          "no model %s in %s: %s is missing; check the model's name, or export it"
              .formatted(folder.getFileName(), folder.getParent(), path),
          e);
    } catch (IOException e) {
      throw new HarmonicaException("cannot read %s: %s".formatted(path, e), e);
    }
  }

  static ModelConfig parse(String text, String where) {
    ModelConfig.Builder config = ModelConfig.newBuilder();
    try {
      PARSER.merge(text, config);
    } catch (TextFormat.ParseException e) {
      throw new HarmonicaException(
          "%s:%d:%d is no model configuration: %s"
              .formatted(where, e.getLine(), e.getColumn(), e.getMessage()),
          e);
    }
    return config.build();
  }
}
