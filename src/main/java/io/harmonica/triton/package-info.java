/**
 * Runs the models of Triton servers over gRPC: one server or several, tensors on the wire or in
 * shared memory. {@link io.harmonica.triton.TritonRuntime} is where to start.
 */
package io.harmonica.triton;
