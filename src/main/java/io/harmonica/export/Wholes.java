package io.harmonica.export;

import io.harmonica.HarmonicaException;
import io.harmonica.repository.Manifest;
import io.harmonica.repository.Names;
import io.harmonica.router.Router;
import io.harmonica.router.Tiers;
import io.harmonica.whole.WholePicture;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The routers of an export that make a picture in one request.
 *
 * @param names of them, {@link Names#NO_ROUTER} for uncached steps
 * @param routers of the export
 */
record Wholes(List<String> names, List<Router> routers) {
  Wholes {
    names = names.stream().distinct().toList();
    for (String name : names) {
      if (!name.equals(Names.NO_ROUTER) && find(routers, name).isEmpty()) {
        throw new HarmonicaException(
            "no router '%s' to make a picture with, there is %s: name one of these, or add it with `router`"
                .formatted(
                    name,
                    Stream.concat(Stream.of(Names.NO_ROUTER), routers.stream().map(Router::name))
                        .collect(Collectors.joining(", "))));
      }
    }
  }

  private static Optional<Router> find(List<Router> routers, String name) {
    Optional<String> tier = Tiers.named(name);
    return routers.stream()
        .filter(
            router -> tier.isPresent() ? router.tier().equals(tier) : router.name().equals(name))
        .findFirst();
  }

  boolean isEmpty() {
    return names.isEmpty();
  }

  /** What their trajectories are. */
  List<WholePicture> pictures(Manifest manifest) {
    return names.stream()
        .map(
            name ->
                find(routers, name)
                    .map(router -> WholePicture.of(manifest, router))
                    .orElseGet(() -> WholePicture.uncached(manifest)))
        .toList();
  }

  /** Why they answer latents only; empty where they do not. */
  Optional<String> latentsOnly(Manifest manifest) {
    return pictures(manifest).stream()
        .filter(made -> !made.drawsPictures())
        .findFirst()
        .map(
            made ->
                "%s answers latents only, as %s: a client makes pictures of them"
                    .formatted(made.name(), made.whyLatents()));
  }
}
