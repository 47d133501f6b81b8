/**
 * Fixes the form of an exported repository: names, configuration files, and the manifest.
 *
 * <p>Read {@link io.harmonica.repository.Manifest} first, all that a client must know of a model,
 * then {@link io.harmonica.repository.Program}, the calls of a router, and {@link
 * io.harmonica.repository.Names}.
 */
package io.harmonica.repository;
