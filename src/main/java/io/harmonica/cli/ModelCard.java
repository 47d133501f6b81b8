package io.harmonica.cli;

import io.harmonica.model.CacheBytes;
import io.harmonica.model.Flops;
import io.harmonica.model.Pruned;
import io.harmonica.sampler.Sampling;
import java.util.List;
import java.util.Optional;

/**
 * What has to be known of a model to route it.
 *
 * @param architecture as routers call it, for example {@code DiT-XL/2}
 * @param branches names in execution order
 * @param cacheBytes of what trajectories keep
 * @param sampling how it is sampled by default
 * @param pruned what is left of it, where it was pruned
 */
record ModelCard(
    String architecture,
    List<String> branches,
    Flops flops,
    CacheBytes cacheBytes,
    Sampling sampling,
    Optional<Pruned> pruned) {}
