/**
 * Runs the models of a repository, in this process or on a Triton server.
 *
 * <p>Read {@link io.harmonica.runtime.Runtime} first, then {@link
 * io.harmonica.runtime.EmbeddedRuntime}, the small interpreter of the configurations that Triton
 * reads; {@link io.harmonica.runtime.TritonRuntime} is the same over gRPC, {@link
 * io.harmonica.runtime.Fleet} on several servers.
 */
package io.harmonica.runtime;
