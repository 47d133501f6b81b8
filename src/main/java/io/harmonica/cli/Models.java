package io.harmonica.cli;

import io.harmonica.origin.Choices;
import io.harmonica.router.Router;
import java.nio.file.Path;
import java.util.List;

/** Where commands learn about models; tests bring their own. */
interface Models {

  /**
   * A model by its weights: a diffusers folder or a {@code .pt} file.
   *
   * @param choices what the file does not say
   */
  ModelCard checkpoint(Path path, Choices choices);

  /** A model by the name of its architecture, for example {@code DiT-XL/2}. */
  ModelCard architecture(String preset);

  /** A model that {@code harmonica-export} wrote, with its routers. */
  Exported exported(Path repository, String model);

  /** What a repository says of a model. */
  record Exported(ModelCard card, List<Router> routers) {}
}
