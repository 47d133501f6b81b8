/**
 * Says what running the models of a repository means, and does it in this process.
 *
 * <p>Read {@link io.harmonica.runtime.Runtime} first, then {@link
 * io.harmonica.runtime.EmbeddedRuntime}, the small interpreter in this process of the
 * configurations that Triton reads; what computes there is a {@link io.harmonica.runtime.Backend}.
 * Package {@code triton} is the same over gRPC.
 */
package io.harmonica.runtime;
