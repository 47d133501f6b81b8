package io.harmonica.checkpoint;

import io.harmonica.HarmonicaException;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What training scripts call a model's weights, as the key of a dict or before every name: {@code
 * model}, {@code state_dict_ema}, {@code ema_model} ...
 */
final class Wrappers {
  /** Of these words, joined by underscores, such a name consists. */
  private static final Set<String> WORDS =
      Set.of(
          "ema", "shadow", "model", "net", "module", "state", "dict", "weights", "params",
          "online");

  private static final Set<String> AVERAGED = Set.of("ema", "shadow");

  /** The usual ones, the preferred first; of several others none is preferred. */
  private static final List<String> USUAL = List.of("ema", "model", "state_dict", "module");

  private Wrappers() {}

  static boolean isWrapper(String name) {
    return !name.isEmpty() && WORDS.containsAll(words(name));
  }

  /** Those to read: weights averaged over the training (EMA), which draw best, before others. */
  static List<String> best(Collection<String> names) {
    List<String> averaged =
        names.stream().filter(name -> words(name).stream().anyMatch(AVERAGED::contains)).toList();
    return averaged.isEmpty() ? List.copyOf(names) : averaged;
  }

  /**
   * The one of several to read, if there is any.
   *
   * @param path of the file, for the message
   * @throws HarmonicaException if more than one could be meant
   */
  static Optional<String> choose(Path path, Collection<String> names) {
    List<String> best = best(names);
    Optional<String> usual = USUAL.stream().filter(best::contains).findFirst();
    if (usual.isEmpty() && best.size() > 1) {
      throw new HarmonicaException(
          "%s holds several sets of weights (%s): save the one to use alone"
              .formatted(path, Messages.some(best)));
    }
    return usual.or(() -> best.stream().findFirst());
  }

  private static List<String> words(String name) {
    return List.of(name.split("_", -1));
  }
}
