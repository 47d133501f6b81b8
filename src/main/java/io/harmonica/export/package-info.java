/**
 * Turns a model and its routers into a Triton model repository.
 *
 * <p>Read {@link io.harmonica.export.Exporter} first, then {@code EngineGraph}, the walk over the
 * model definition that makes one engine.
 */
package io.harmonica.export;
