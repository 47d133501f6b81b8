package io.harmonica.train;

import java.nio.file.Path;

/**
 * What a training run writes, all beside the router.
 *
 * @param router the router itself, {@code NAME.json}
 */
public record TrainingFiles(Path router) {

  /** What {@code --resume} goes on from. */
  public Path state() {
    return sibling(".state.json");
  }

  /** A JSON object a line. */
  public Path log() {
    return sibling(".log.jsonl");
  }

  /** Loss, CUR and lambda. */
  public Path curves() {
    return sibling(".curves.png");
  }

  public Path heatMap() {
    return sibling(".png");
  }

  private Path sibling(String ending) {
    String stem = router.getFileName().toString().replaceFirst("\\.json$", "");
    return router.resolveSibling(stem + ending);
  }
}
